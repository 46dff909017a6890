using System.Text;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>The real service, broker and emulator: from a message to the word that its row is in the table.</summary>
public sealed class LoadServiceTests(ITestOutputHelper output)
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Loads_are_followed_over_a_kill_and_a_lost_notification_is_refreshed_by_the_verb()
    {
        await using var stand = await LoadStand.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var forwarder = new ForwarderProcess(
            broker.Port,
            stand.Store.Address,
            ("NUM_FILES", "1"),
            ("SNOWPIPE_MONITOR", "true"),
            ("SNOWPIPE_MONITOR_INTERVAL", "1s"),
            ("SNOWPIPE_MISSED_AFTER", "15s"),
            ("SNOWFLAKE_ACCOUNT", EmulatorProcess.Account),
            ("SNOWFLAKE_USER", EmulatorProcess.User),
            ("SNOWFLAKE_URL", stand.Emulator.Address.AbsoluteUri),
            ("SNOWFLAKE_PRIVATE_KEY_FILE", stand.KeyFile),
            ("SNOWFLAKE_DATABASE", "DEMO"),
            ("SNOWFLAKE_SCHEMA", "DEMO")
        );
        await using var mqtt = await MqttNetClient.ConnectedAsync(broker.Port, "sender");

        await PublishAsync(mqtt, 1);
        await UntilAsync(forwarder, async () => (await LoadsAsync(forwarder, "missed")) == 1);
        forwarder.KillAndStart();
        await UntilAsync(forwarder, async () => (await LoadsAsync(forwarder, "missed")) == 1);
        var said = forwarder.Log.Split("were never seen by").Length - 1;
        var (statusCode, status) = await forwarder.RunAsync("loads", "status", "--json");
        var (refreshCode, refreshed) = await forwarder.RunAsync("loads", "refresh");
        await UntilAsync(forwarder, async () => (await LoadsAsync(forwarder, "loaded")) == 1);

        await PublishAsync(mqtt, 2);
        await UntilAsync(forwarder, () => Task.FromResult(stand.Store.In().Count == 2));
        // Both are announced, the refreshed one too.
        stand.Announce([.. stand.Store.In().Select(entry => entry.Key)]);
        await UntilAsync(forwarder, async () => (await LoadsAsync(forwarder, "loaded")) == 2);
        var (checkCode, check) = await forwarder.RunAsync("check");

        Assert.Equal((0, 0), (statusCode, refreshCode));
        Assert.Equal(1, (int)JsonNode.Parse(status)!["missed"]!);
        Assert.Contains("1 objects were named to DEMO.DEMO.INVERTER_PIPE", refreshed, StringComparison.Ordinal);
        Assert.Equal(2, await stand.Emulator.RowsAsync());
        Assert.Equal(1, said);
        Assert.Contains("snowpipe history", check, StringComparison.Ordinal);
        Assert.Contains("2 objects loaded since the start", check, StringComparison.Ordinal);
        Assert.True(checkCode is 0 or 1, check);
        Assert.Contains("thermal_loads_files_total", (await forwarder.GetAsync("/metrics"))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_monitor_there_is_nothing_to_refresh()
    {
        await using var store = await FakeS3.StartAsync();
        using var forwarder = new ForwarderProcess(Ports.Take(), store.Address);

        var (code, said) = await forwarder.RunAsync("loads", "refresh");

        Assert.Equal(1, code);
        Assert.Contains("SNOWPIPE_MONITOR=true", said, StringComparison.Ordinal);
    }

    static async Task PublishAsync(MqttNetClient mqtt, int sequence)
    {
        var json =
            "{\"id\":\"Inverter_1\",\"PAC\":3000,\"energy_output\":15000,\"energy_conversion_efficiency\":95,\"performance_ratio\":0.8,"
            + "\"system_uptime\":99,\"temperature\":40,\"input_voltage\":600,\"output_voltage\":230,\"frequency\":50,"
            + $"\"fault_status\":\"None\",\"boot_id\":\"0123456789abcdef0123456789abcdef\",\"sequence\":{sequence}}}";
        using var timeout = new CancellationTokenSource(Patience);
        // Until somebody has subscribed, the broker answers that there is nobody.
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

    static async Task<int?> LoadsAsync(ForwarderProcess forwarder, string figure) =>
        await forwarder.GetAsync("/status") is { } status ? (int?)JsonNode.Parse(status)!["loads"]?[figure] : null;

    async Task UntilAsync(ForwarderProcess forwarder, Func<Task<bool>> isSo)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!await isSo())
        {
            if (timeout.IsCancellationRequested)
            {
                output.WriteLine(forwarder.Log);
                Assert.Fail("It did not come to that in time; the log is above.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }
}
