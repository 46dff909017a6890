using System.Text;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The verb <c>tail</c> with TLS, at a real broker.</summary>
[Trait("Category", "Security")]
public sealed class TailTlsTests : IDisposable
{
    static readonly (double From, double Until) valid = (-1, 20);

    readonly TestAuthority authority = new();
    readonly TempDirectory directory = new();

    public TailTlsTests() => File.WriteAllText(Password, "secret");

    public void Dispose()
    {
        authority.Dispose();
        directory.Dispose();
    }

    string Password => directory.File("password");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Readings_come_through_TLS_by_options_and_by_the_settings_of_the_services(bool byOptions)
    {
        await using var broker = await StartAsync(authority.Sign("server", valid, "localhost"));
        var settings = new Dictionary<string, string>
        {
            ["MQTT_HOST"] = "localhost",
            ["MQTT_PORT"] = $"{broker.TlsPort}",
            ["MQTT_TLS"] = "true",
            ["MQTT_CA_FILE"] = authority.CaFile,
            ["MQTT_PASSWORD_FILE"] = Password,
        };
        using var ended = new CancellationTokenSource();
        var publishing = PublishAsync(broker.Port, ended.Token);

        var answer = byOptions
            ? await TailAsync($"localhost:{broker.TlsPort}", "--ca", authority.CaFile, "--count", "1", "--json")
            : await OperatorProcess.RunAsync(settings, "tail", "--user", "reader", "--count", "1", "--json");
        await ended.CancelAsync();
        await publishing;

        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
        Assert.Equal(22.5, (double)JsonNode.Parse(answer.Output)!["row"]!["temperature"]!);
    }

    [Fact]
    public async Task A_broker_that_wants_a_certificate_of_its_clients_gets_it()
    {
        await using var broker = await StartAsync(authority.Sign("server", valid, "localhost"), isMutual: true);
        var (certificate, key) = authority.Sign("client", valid, "cli");
        var settings = new Dictionary<string, string> { ["MQTT_CLIENT_CERT_FILE"] = certificate, ["MQTT_CLIENT_KEY_FILE"] = key };
        string[] tail = ["tail", "--broker", $"localhost:{broker.TlsPort}", "--ca", authority.CaFile, "--user", "reader"];
        using var ended = new CancellationTokenSource();
        var publishing = PublishAsync(broker.Port, ended.Token);

        var with = await OperatorProcess.RunAsync(settings, [.. tail, "--password-file", Password, "--count", "1"]);
        var without = await OperatorProcess.RunAsync([.. tail, "--password-file", Password, "--count", "1"]);
        await ended.CancelAsync();
        await publishing;

        Assert.Equal((0, ""), (with.ExitCode, with.Error));
        Assert.Equal(1, without.ExitCode);
        Assert.Contains("MQTT_CLIENT_CERT_FILE", without.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_not_accepted_is_named_with_its_cure()
    {
        using var other = new TestAuthority("another authority");
        await using var broker = await StartAsync(authority.Sign("server", valid, "pi.example"));
        await using var expired = await StartAsync(authority.Sign("expired", (-20, -1), "localhost"));

        var untrusted = await TailAsync($"localhost:{broker.TlsPort}", "--ca", other.CaFile);
        var ofMachine = await TailAsync($"localhost:{broker.TlsPort}", "--tls");
        var misnamed = await TailAsync($"localhost:{broker.TlsPort}", "--ca", authority.CaFile);
        var late = await TailAsync($"localhost:{expired.TlsPort}", "--ca", authority.CaFile);

        AssertSays(untrusted, $"Its certificate was signed by 'CN=test authority', which is not in {other.CaFile}", "--ca FILE");
        AssertSays(ofMachine, "which is not among the authorities that this machine trusts", "MQTT_CA_FILE");
        AssertSays(misnamed, "Its certificate is for 'pi.example', and not for 'localhost'", "--broker HOST[:PORT]");
        AssertSays(late, "Its certificate expired on ", "timedatectl");
    }

    [Fact]
    public async Task TLS_towards_none_and_none_towards_TLS_are_told_apart_from_a_broker_that_is_away()
    {
        await using var broker = await StartAsync(authority.Sign("server", valid, "localhost"));

        var toPlain = await TailAsync($"localhost:{broker.Port}", "--ca", authority.CaFile);
        var toTls = await TailAsync($"localhost:{broker.TlsPort}");
        var away = await TailAsync($"localhost:{Testing.Ports.Take()}", "--ca", authority.CaFile);

        AssertSays(toPlain, $"the broker at localhost:{broker.Port} does not complete TLS", "usually 8883");
        AssertSays(toTls, $"the broker at localhost:{broker.TlsPort} does not answer", "one that expects TLS: --ca FILE");
        AssertSays(away, "does not answer. Connection refused", "docker compose ps mosquitto");
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_named_before_anything_is_sent()
    {
        await File.WriteAllTextAsync(directory.File("odd.pem"), "nothing", TestContext.Current.CancellationToken);

        foreach (var file in new[] { "odd.pem", "missing.pem" })
        {
            var answer = await TailAsync("localhost:1", "--ca", directory.File(file));
            Assert.Equal(2, answer.ExitCode);
            Assert.Contains($"the file {directory.File(file)} cannot be used for TLS", answer.Error, StringComparison.Ordinal);
        }
        var half = await OperatorProcess.RunAsync(new Dictionary<string, string> { ["MQTT_CA_FILE"] = authority.CaFile }, "tail");
        Assert.Equal(2, half.ExitCode);
        Assert.Contains("MQTT_CA_FILE is", half.Error, StringComparison.Ordinal);
        Assert.Contains("MQTT_TLS is not true", half.Error, StringComparison.Ordinal);
    }

    Task<ToolResult> TailAsync(string broker, params IReadOnlyList<string> options) =>
        OperatorProcess.RunAsync(["tail", "--broker", broker, "--user", "reader", "--password-file", Password, .. options]);

    static void AssertSays(ToolResult answer, string why, string fix)
    {
        Assert.Equal(1, answer.ExitCode);
        Assert.Contains(why, answer.Error, StringComparison.Ordinal);
        Assert.Contains(fix, answer.Error, StringComparison.Ordinal);
    }

    Task<MosquittoProcess> StartAsync((string Certificate, string Key) files, bool isMutual = false) =>
        MosquittoProcess.StartAsync(
            new BrokerSettings { Tls = new Testing.BrokerTls(authority.CaFile, files.Certificate, files.Key, isMutual) }
        );

    /// <summary>Again and again, because a reading with QoS 0 is only for those who are there already.</summary>
    static async Task PublishAsync(int port, CancellationToken stop)
    {
        await using var sender = await MqttNetClient.ConnectedAsync(port, "sender");
        while (!stop.IsCancellationRequested)
        {
            await sender.PublishAsync(
                "telemetry/v1/demo/thermal",
                Encoding.UTF8.GetBytes("""{"temperature": 22.5}"""),
                cancellationToken: CancellationToken.None
            );
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
    }
}
