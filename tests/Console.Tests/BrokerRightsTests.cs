using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>The console's user at the broker as it is shipped.</summary>
[Trait("Category", "Security")]
public sealed class BrokerRightsTests
{
    const int NotAuthorized = 135;

    [Fact]
    public async Task It_sees_readings_and_neither_publishes_nor_hears_anything_else()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var password = broker.Password("console");

        foreach (var filter in new[] { "telemetry/v1/+/thermal", "telemetry/v1/+/inverter" })
            Assert.InRange(await broker.SubscribeAsync("console", password, filter), 0, 2);
        foreach (
            var filter in new[]
            {
                "#",
                "telemetry/#",
                "telemetry/v1/+/status",
                "forwarders/v1/thermal",
                "forwarders/v1/#",
                "$SYS/broker/version",
                "$SYS/#",
                "$CONTROL/dynamic-security/v1/response",
                "$share/snowpipe-forwarder/telemetry/v1/+/thermal",
                "$share/s3-forwarder/telemetry/v1/+/inverter",
                "$share/mine/telemetry/v1/+/thermal",
                "homeassistant/#",
            }
        )
            Assert.Equal(NotAuthorized, await broker.SubscribeAsync("console", password, filter));
        foreach (
            var topic in new[]
            {
                "telemetry/v1/pi/thermal",
                "telemetry/v1/console/thermal",
                "telemetry/v1/pi/status",
                "forwarders/v1/thermal",
                "forwarders/v1/inverter",
                "$CONTROL/dynamic-security/v1",
                "anything",
            }
        )
            Assert.Equal(NotAuthorized, await broker.PublishAsync("console", password, topic));
    }

    [Fact]
    public async Task The_console_shows_readings_through_it_and_leaves_nothing_at_the_broker()
    {
        using var directory = new TempDirectory();
        await using var broker = await ShippedBroker.StartAsync();
        using var console = new ConsoleProcess(
            directory.Path,
            broker.Port,
            ("MQTT_USER", "console"),
            ("MQTT_PASSWORD_FILE", broker.PasswordFile("console"))
        );
        await console.ReadyAsync();
        using var timeout = new CancellationTokenSource(ConsoleProcess.Patience);
        var history = "";
        while (!history.Contains("21.5", StringComparison.Ordinal))
        {
            Assert.InRange(
                await broker.PublishAsync(
                    "sensor-agent",
                    broker.Password("sensor-agent"),
                    "telemetry/v1/pi/thermal",
                    "{\"temperature\": 21.5}"u8.ToArray()
                ),
                0,
                16
            );
            history = await console.Http.GetStringAsync(new Uri("/api/history?device=pi", UriKind.Relative), timeout.Token);
        }

        Assert.Equal(0, await console.StopAsync());
        await broker.StopAsync();

        // The broker saves its sessions when it stops. Only a client id stands before a length of two bytes there.
        var database = await File.ReadAllBytesAsync(broker.DatabaseFile, timeout.Token);
        Assert.Equal(-1, database.AsSpan().IndexOf("console"u8));
    }
}
