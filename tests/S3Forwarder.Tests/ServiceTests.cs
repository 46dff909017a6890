using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>The real service between a real broker and a store that misbehaves.</summary>
public sealed class ServiceTests(ITestOutputHelper output)
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>
    /// The SDK reads the body of an error on the thread that has to deliver it. With inline completions, where this is the thread of all
    /// sockets, it waited for itself for ever, and with it MQTT and the health page.
    /// </summary>
    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    public async Task An_error_whose_headers_and_body_come_apart_hangs_nothing(string inlineCompletions)
    {
        var pause = TimeSpan.FromMilliseconds(200);
        await using var store = new RawStore();
        // The first answer is lost, so that the repetition is told 412; then a 500 in two pieces; then all is well.
        store.Script = put =>
            put switch
            {
                1 => new RawAnswer("HTTP/1.1 200 OK") { Stores = true, Cut = true },
                2 => RawAnswer.Error(412, "PreconditionFailed", pause),
                3 or 4 => RawAnswer.Error(500, "InternalError", pause),
                _ => null,
            };
        await using var broker = await MosquittoProcess.StartAsync();
        using var forwarder = new ForwarderProcess(
            broker.Port,
            store.Address,
            ("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", inlineCompletions),
            ("NUM_FILES", "1")
        );

        await PublishAsync(
            broker.Port,
            messages: 2,
            readings: 10,
            async () => await WaitAsync(forwarder, () => Task.FromResult(store.Rows >= 10))
        );
        await WaitAsync(forwarder, () => Task.FromResult(store.Rows == 20));

        Assert.NotNull(await forwarder.GetAsync("/readyz"));
    }

    /// <summary>
    /// Batches of 8 MB, slow uploads and error pages of many megabytes, with the memory settings that the Dockerfile has. The service's
    /// container has 256 MiB.
    /// </summary>
    [Fact]
    public async Task Memory_is_bounded_whatever_the_store_answers()
    {
        const int messages = 60,
            readings = 1000;
        await using var store = new RawStore { Throttle = 4 << 20 };
        // Each of them several times; then the store recovers, before the pauses between attempts become long.
        store.Script = put =>
            put > 18
                ? null
                : (put % 6) switch
                {
                    4 => new RawAnswer(
                        "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 67108901",
                        "<Error><Code>SlowDown</Code><Message>"
                    )
                    {
                        Padding = 64 << 20,
                    },
                    1 => new RawAnswer(
                        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nServer: squid\r\nContent-Length: 67108870",
                        "<html>"
                    )
                    {
                        Padding = 64 << 20,
                    },
                    2 => new RawAnswer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close", "<html>")
                    {
                        Padding = 64 << 20,
                        Cut = true,
                    },
                    3 => new RawAnswer("HTTP/1.1 200 OK") { Stores = true, Cut = true },
                    _ => null,
                };
        await using var broker = await MosquittoProcess.StartAsync();
        using var forwarder = new ForwarderProcess(
            broker.Port,
            store.Address,
            [
                ("S3_BATCH_LINGER", "5s"),
                .. DockerfileSettings()
                    .Where(setting =>
                        setting.Key.StartsWith("DOTNET_GC", StringComparison.OrdinalIgnoreCase)
                        || setting.Key.StartsWith("MALLOC_", StringComparison.Ordinal)
                    ),
            ]
        );

        await PublishAsync(broker.Port, messages, readings, () => Task.CompletedTask);
        await WaitAsync(forwarder, () => Task.FromResult(store.Rows == messages * readings));

        output.WriteLine(FormattableString.Invariant($"{forwarder.PeakMiB} MiB at most, {store.Puts} PUTs for {store.Objects} objects"));
        Assert.InRange(forwarder.PeakMiB, 1, 150);
    }

    [Fact]
    public void No_service_handles_answers_on_the_thread_of_all_sockets() =>
        Assert.DoesNotContain(
            DockerfileSettings(),
            setting => setting.Key.Contains("INLINE_COMPLETIONS", StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>KEY=value of the ENV instructions.</summary>
    static List<(string Key, string Value)> DockerfileSettings()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Dockerfile")))
            root = Path.GetDirectoryName(root.TrimEnd('/')) ?? throw new FileNotFoundException("Dockerfile");
        return
        [
            .. File.ReadLines(Path.Combine(root, "Dockerfile"))
                .Select(line => line.Trim().TrimEnd('\\').Trim().Replace("ENV ", "", StringComparison.Ordinal).Split('=', 2))
                .Where(pair => pair.Length == 2 && pair[0].Length > 0 && pair[0].All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                .Select(pair => (pair[0], pair[1])),
        ];
    }

    static async Task PublishAsync(int port, int messages, int readings, Func<Task> afterFirst)
    {
        await using var mqtt = await MqttNetClient.ConnectedAsync(port, "sender");
        var text = new StringBuilder();
        for (var message = 0; message < messages; message++)
        {
            text.Clear();
            for (var i = 0; i < readings; i++)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{(i == 0 ? "[" : ",")}{{\"id\":\"Inverter_{i % 60}\",\"PAC\":3000,\"energy_output\":15000,\"energy_conversion_efficiency\":95,\"performance_ratio\":0.8,\"system_uptime\":99,\"temperature\":40,\"input_voltage\":600,\"output_voltage\":230,\"frequency\":50,\"fault_status\":\"None\",\"boot_id\":\"0123456789abcdef0123456789abcdef\",\"sequence\":{message * readings + i + 1}}}"
                );
            }
            await PublishAsync(mqtt, text.Append(']').ToString());
            if (message == 0)
                await afterFirst();
        }
    }

    /// <summary>Until somebody has subscribed, the broker answers that there is nobody.</summary>
    static async Task PublishAsync(MqttNetClient mqtt, string json)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (
            await mqtt.PublishAsync(
                "telemetry/v1/roof/inverter",
                Encoding.UTF8.GetBytes(json),
                "application/json",
                cancellationToken: timeout.Token
            ) != 0
        )
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, timeout.Token);
    }

    async Task WaitAsync(ForwarderProcess forwarder, Func<Task<bool>> until)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!await until())
        {
            if (timeout.IsCancellationRequested)
            {
                output.WriteLine(forwarder.Log);
                Assert.Fail("It did not come to that in time; the log is above.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
