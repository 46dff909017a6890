using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The verb <c>tail</c>, as a process, on the broker as it is shipped.</summary>
public sealed class TailTests
{
    const int NotAuthorized = 135;
    const string Thermal = "telemetry/v1/demo/thermal";
    const string Inverter = "telemetry/v1/demo/inverter";

    [Fact]
    public async Task Two_at_once_see_protobuf_and_json_and_each_what_it_asked_for()
    {
        await using var broker = await ShippedBroker.StartAsync(("MQTT_PUBLISHER_DEVICES", "demo,other"));
        using var thermal = Tail(broker, "--kind", "thermal", "--device", "demo", "--count", "2");
        using var inverters = Tail(broker, "--kind", "inverter", "--count", "1", "--json");
        using var ended = new CancellationTokenSource();
        var publishing = PublishAsync(broker, ended.Token);

        var (lines, json) = (await thermal.EndAsync(), await inverters.EndAsync());
        await ended.CancelAsync();
        await publishing;

        Assert.Equal("", lines.Error + json.Error);
        Assert.Equal((0, 0), (lines.ExitCode, json.ExitCode));
        Assert.All(
            lines.Output.TrimEnd('\n').Split('\n'),
            line => Assert.Matches("^[0-9:.]{12} demo thermal  (21.5 °C|22.5 °C  612 ppm CO2)$", line)
        );
        var row = JsonNode.Parse(json.Output)!;
        Assert.Equal(("demo", "inverter", "Inverter_3"), ((string)row["device_id"]!, (string)row["kind"]!, (string)row["row"]!["id"]!));
        Assert.Null(row["problem"]);
    }

    /// <summary>As when another program takes the name of this one at that moment.</summary>
    [Fact]
    public async Task A_connection_that_the_broker_closes_at_once_is_made_again()
    {
        await using var broker = await ShippedBroker.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ended = new CancellationTokenSource();
        var relaying = RelayAsync(listener, broker.Port, ended.Token);
        using var tail = Tail(broker, listener, "--count", "1");
        var publishing = PublishAsync(broker, ended.Token, (Thermal, Protobuf()));

        var answer = await tail.EndAsync();
        await ended.CancelAsync();
        await publishing;
        await relaying;

        Assert.Equal(("", 0), (answer.Error, answer.ExitCode));
        Assert.Contains("21.5 °C", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_closes_every_connection_is_named()
    {
        await using var broker = await ShippedBroker.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ended = new CancellationTokenSource();
        using var tail = Tail(broker, listener);

        await ResetNextAsync(listener, ended.Token);
        await ResetNextAsync(listener, ended.Token);
        var answer = await tail.EndAsync();

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("does not let this program subscribe", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_user_reads_along_and_does_nothing_else()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var password = broker.Password("cli");

        Assert.Equal(0, await broker.SubscribeAsync("cli", password, "telemetry/v1/#") & 0x80);
        Assert.Equal(0, await broker.SubscribeAsync("cli/32", password, "telemetry/v1/+/thermal") & 0x80);
        foreach (var filter in (string[])["#", "forwarders/v1/thermal", "$SYS/#", "$share/snowpipe-forwarder/telemetry/v1/+/thermal"])
            Assert.Equal(NotAuthorized, await broker.SubscribeAsync("cli", password, filter));
        foreach (var topic in (string[])[Thermal, "telemetry/v1/cli/thermal", "forwarders/v1/thermal"])
            Assert.Equal(NotAuthorized, await broker.PublishAsync("cli", password, topic));
    }

    [Fact]
    public async Task What_will_not_be_taken_is_shown_with_the_reason()
    {
        await using var broker = await ShippedBroker.StartAsync();
        using var tail = Tail(broker);
        using var ended = new CancellationTokenSource();
        var publishing = PublishAsync(broker, ended.Token, (Thermal, "this is \u001b[31mnot JSON"u8.ToArray()));

        await tail.SawAsync("not taken:");
        tail.Interrupt();
        var answer = await tail.EndAsync();
        await ended.CancelAsync();
        await publishing;

        Assert.Equal(130, answer.ExitCode);
        Assert.DoesNotContain('\u001b', answer.Output);
    }

    [Fact]
    public async Task A_broker_that_comes_back_is_followed_again()
    {
        await using var broker = await ShippedBroker.StartAsync();
        using var tail = Tail(broker);
        using var ended = new CancellationTokenSource();
        var publishing = PublishAsync(broker, ended.Token);
        await tail.SawAsync("demo thermal");

        await broker.StopAsync();
        await broker.StartAgainAsync();
        var before = tail.Seen;
        await tail.SawAsync("demo thermal", after: before);

        tail.Interrupt();
        var answer = await tail.EndAsync();
        await ended.CancelAsync();
        await publishing;
        Assert.Contains("was lost: connecting again", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_broker_it_says_what_to_do()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("password"), "x", TestContext.Current.CancellationToken);

        var answer = await OperatorProcess.RunAsync(
            "tail",
            "--broker",
            $"127.0.0.1:{Testing.Ports.Take()}",
            "--password-file",
            directory.File("password")
        );

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("does not answer", answer.Error, StringComparison.Ordinal);
        Assert.Contains("--broker HOST[:PORT]", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_told_with_its_cure()
    {
        await using var broker = await ShippedBroker.StartAsync();
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("password"), "wrong", TestContext.Current.CancellationToken);

        var answer = await OperatorProcess.RunAsync(
            "tail",
            "--broker",
            $"127.0.0.1:{broker.Port}",
            "--password-file",
            directory.File("password")
        );

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("does not let this program subscribe", answer.Error, StringComparison.Ordinal);
        Assert.Contains("NotAuthorized", answer.Error, StringComparison.Ordinal);
    }

    /// <summary>Accepts the first connection and resets it when its subscription comes; relays the second to the broker.</summary>
    static async Task RelayAsync(TcpListener listener, int port, CancellationToken stop)
    {
        await ResetNextAsync(listener, stop);
        using var second = await listener.AcceptTcpClientAsync(stop);
        using var broker = new TcpClient();
        await broker.ConnectAsync(IPAddress.Loopback, port, stop);
        await Task.WhenAny(
            second.GetStream().CopyToAsync(broker.GetStream(), stop),
            broker.GetStream().CopyToAsync(second.GetStream(), stop)
        );
    }

    /// <summary>Answers CONNECT, and resets the connection when the subscription comes.</summary>
    static async Task ResetNextAsync(TcpListener listener, CancellationToken stop)
    {
        var buffer = new byte[4096];
        using var client = await listener.AcceptTcpClientAsync(stop);
        _ = await client.GetStream().ReadAsync(buffer, stop);
        // CONNACK: success, without properties.
        await client.GetStream().WriteAsync((byte[])[0x20, 3, 0, 0, 0], stop);
        _ = await client.GetStream().ReadAsync(buffer, stop);
        client.LingerState = new LingerOption(true, 0);
    }

    static OperatorProcess Tail(ShippedBroker broker, TcpListener listener, params IReadOnlyList<string> options) =>
        OperatorProcess.Start(["tail", "--broker", $"{listener.LocalEndpoint}", "--password-file", broker.PasswordFile("cli"), .. options]);

    static OperatorProcess Tail(ShippedBroker broker, params IReadOnlyList<string> options) =>
        OperatorProcess.Start(["tail", "--broker", $"127.0.0.1:{broker.Port}", "--password-file", broker.PasswordFile("cli"), .. options]);

    /// <summary>Again and again, because a reading with QoS 0 is only for those who are there already.</summary>
    static async Task PublishAsync(ShippedBroker broker, CancellationToken stop, params (string Topic, byte[] Payload)[] messages)
    {
        if (messages.Length == 0)
            messages =
            [
                (Thermal, Protobuf()),
                (Thermal, Encoding.UTF8.GetBytes("""{"temperature": 22.5, "co2": 612}""")),
                ("telemetry/v1/other/thermal", Encoding.UTF8.GetBytes("""{"temperature": 99}""")),
                (Inverter, Encoding.UTF8.GetBytes("""{"id": "Inverter_3", "PAC": 3214}""")),
            ];
        while (!stop.IsCancellationRequested)
        {
            foreach (var (topic, payload) in messages)
                await broker.PublishAsync("publisher", broker.Password("publisher"), topic, payload);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
    }

    static byte[] Protobuf() =>
        new ReadingBatch
        {
            DeviceId = "demo",
            BootId = new string('a', 32),
            Thermal =
            {
                new ThermalReading
                {
                    Sequence = 1,
                    ObservedAtUs = FakeForwarder.Now.ToUnixTimeMilliseconds() * 1000,
                    TemperatureC = 21.5,
                },
            },
        }.ToByteArray();
}
