using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>tail</c>: readings as they pass through the broker.</summary>
static class TailCommand
{
    const int PlainPort = 1883,
        TlsPort = 8883;

    public static Command Create()
    {
        var kind = new Option<string>("--kind") { Description = "Only readings of this kind.", HelpName = "thermal|inverter" };
        kind.AcceptOnlyFromAmong("thermal", "inverter");
        var device = new Option<string>("--device") { Description = "Only readings of this device.", HelpName = "NAME" };
        device.Validators.Add(result =>
        {
            if (!Topics.IsDeviceId(result.GetValueOrDefault<string>()))
                result.AddError("--device must be a device's name: 1 to 100 characters without + # /");
        });
        var count = new Option<int>("--count") { Description = "End after N readings.", HelpName = "N" };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError("--count must be 1 or more.");
        });
        var broker = new Option<string>("--broker")
        {
            Description = $"The broker; port {PlainPort}, with TLS {TlsPort}. Otherwise MQTT_HOST and MQTT_PORT, or mosquitto.",
            HelpName = "HOST[:PORT]",
        };
        broker.Validators.Add(result =>
        {
            if (!ServiceEndpoint.TryParse(result.GetValueOrDefault<string>() ?? "", isAgent: false, out _))
                result.AddError("--broker must be HOST or HOST:PORT.");
        });
        var tls = new Option<bool>("--tls") { Description = "TLS with the authorities that this machine trusts. Otherwise MQTT_TLS." };
        var authority = new Option<string>("--ca")
        {
            Description = "TLS; PEM file with the authority of the broker's certificate. Otherwise MQTT_CA_FILE.",
            HelpName = "FILE",
        };
        var user = new Option<string>("--user") { Description = "User at another broker.", HelpName = "NAME" };
        var password = new Option<string>("--password-file")
        {
            Description = "File with the password. Otherwise MQTT_PASSWORD_FILE, or /run/mqtt/password.",
            HelpName = "FILE",
        };
        var command = new Command("tail", "Shows readings as they pass through the broker. Ctrl+C ends it.")
        {
            kind,
            device,
            count,
            broker,
            tls,
            authority,
            user,
            password,
            OperatorOptions.Json,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                var trust = Tls(parsed.GetValue(tls), parsed.GetValue(authority));
                var (host, port) = Broker(parsed.GetValue(broker), trust is null ? PlainPort : TlsPort);
                var options = new TailOptions
                {
                    Host = host,
                    Port = port,
                    Tls = trust,
                    User = parsed.GetValue(user),
                    PasswordFile = parsed.GetValue(password) ?? Setting("MQTT_PASSWORD_FILE") ?? "/run/mqtt/password",
                    Kind = parsed.GetValue(kind) switch
                    {
                        "thermal" => ReadingKind.Thermal,
                        "inverter" => ReadingKind.Inverter,
                        _ => null,
                    },
                    Device = parsed.GetValue(device),
                    Count = parsed.GetValue(count),
                };
                return RunAsync(options, parsed.GetValue(OperatorOptions.Json), cancellationToken);
            }
        );
        return command;
    }

    static async Task<int> RunAsync(TailOptions options, bool json, CancellationToken cancellationToken)
    {
        var console = Terminal.OfPerson(Console.Out);
        var stream = new ReadingStream(options, text => Console.Error.WriteLine($"warning: {text}"));
        var shown = 0;
        await foreach (var message in stream.ReadAsync(cancellationToken))
        {
            var now = TimeProvider.System.GetUtcNow();
            var readings = MessageReadings.Of(message.Topic, message.ContentType, message.Payload.ToArray(), now);
            foreach (var (at, row) in readings.Rows)
            {
                if (json)
                    PrintJson(readings, at, row, null);
                else
                    ReadingLine.Print(console, readings, at, row);
                if (++shown == options.Count)
                    return ExitCodes.Ok;
            }
            if (readings.Problem is not { } problem)
                continue;
            if (json)
                PrintJson(readings, now, null, problem);
            else
                ReadingLine.PrintProblem(console, readings, now);
        }
        return ExitCodes.Ok;
    }

    static void PrintJson(MessageReadings readings, DateTimeOffset at, JsonObject? row, string? problem) =>
        JsonText.Print(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("device_id", readings.DeviceId);
            writer.WriteString("kind", Topics.Name(readings.Kind));
            writer.WriteString("observed_at", at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
            writer.WritePropertyName("row");
            if (row is null)
                writer.WriteNullValue();
            else
                row.WriteTo(writer);
            writer.WriteString("problem", problem);
            writer.WriteEndObject();
        });

    static (string Host, int Port) Broker(string? named, int usualPort)
    {
        if (named is not null && ServiceEndpoint.TryParse(named, isAgent: false, out var endpoint, usualPort))
            return (endpoint.Host, endpoint.Port);
        var port = int.TryParse(Setting("MQTT_PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var set) ? set : usualPort;
        return (Setting("MQTT_HOST") ?? "mosquitto", port);
    }

    /// <summary>Reads these settings as the services do, except that --ca alone is enough.</summary>
    /// <exception cref="FailureException">A file is set, but TLS is not.</exception>
    static BrokerTls? Tls(bool isAsked, string? authority)
    {
        var (certificate, key) = (Setting("MQTT_CLIENT_CERT_FILE"), Setting("MQTT_CLIENT_KEY_FILE"));
        var isSet = Setting("MQTT_TLS")?.ToUpperInvariant() is "TRUE" or "1" or "YES" or "ON";
        if (isAsked || isSet || authority is not null)
            return new BrokerTls(authority ?? Setting("MQTT_CA_FILE"), certificate, key);
        foreach (var name in (string[])["MQTT_CA_FILE", "MQTT_CLIENT_CERT_FILE", "MQTT_CLIENT_KEY_FILE"])
        {
            if (Setting(name) is { } file)
            {
                throw new FailureException(
                    $"{name} is '{file}', but MQTT_TLS is not true",
                    "The password would go to the broker unencrypted, although a file for TLS is set",
                    $"MQTT_TLS=true, --tls, or remove {name}",
                    OperatorExit.Usage
                );
            }
        }
        return null;
    }

    static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
