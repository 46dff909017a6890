using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Users of the shipped broker that come and go while it runs.</summary>
[Trait("Category", "Security")]
public sealed class ShippedBrokerUsersTests
{
    const int NotAuthorized = 135;

    [Fact]
    public async Task Enrolment_renewal_and_revocation_take_effect_at_once_and_outlive_a_restart()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var mosquitto = broker.MosquittoId;
        const string Topic = "telemetry/v1/esp-1/thermal";

        var first = await broker.EnrollAsync("esp-1");
        Assert.InRange(await broker.PublishAsync("esp-1", first, Topic), 0, 16);
        Assert.Equal(3, (await broker.SetUpAsync("enroll", "esp-1")).ExitCode);
        Assert.InRange(await broker.PublishAsync("esp-1", first, Topic), 0, 16);
        var second = await broker.EnrollAsync("esp-1", renew: true);
        Assert.Equal(-NotAuthorized, await broker.PublishAsync("esp-1", first, Topic));
        Assert.InRange(await broker.PublishAsync("esp-1", second, Topic), 0, 16);
        Assert.Equal(mosquitto, broker.MosquittoId);
        Assert.Equal("esp-1", (await broker.SetUpAsync("devices")).Output);

        await broker.StopAsync();
        await broker.SetUpAsync();
        await broker.StartAgainAsync();
        Assert.InRange(await broker.PublishAsync("esp-1", second, Topic), 0, 16);

        await broker.RevokeAsync("esp-1");
        Assert.Equal(-NotAuthorized, await broker.PublishAsync("esp-1", second, Topic));
        await broker.StopAsync();
        await broker.StartAgainAsync();
        Assert.Equal(-NotAuthorized, await broker.PublishAsync("esp-1", second, Topic));
        foreach (
            var name in new[]
            {
                "sensor-agent",
                "publisher",
                "health",
                "administrator",
                "a/b",
                "../x",
                "a+",
                "",
                "-x",
                "a b",
                "a\"b",
                new string('x', 65),
            }
        )
            Assert.NotEqual(0, (await broker.SetUpAsync("enroll", name)).ExitCode);
    }

    [Fact]
    public async Task Users_that_setup_changes_while_the_broker_runs_take_effect_by_themselves()
    {
        await using var broker = await ShippedBroker.StartAsync(("MQTT_PUBLISHER_PASSWORD", "one"));
        Assert.InRange(await broker.PublishAsync("publisher", "one", "telemetry/v1/demo/thermal"), 0, 16);

        await broker.SetUpAsync(("MQTT_PUBLISHER_PASSWORD", "two"), ("DEVICE_ID", "pi \"in\" the\\cellar"));

        // The broker looks for changed users now and then, and restarts for them.
        var reason = -1;
        var began = Stopwatch.GetTimestamp();
        while (reason is not (0 or 16) && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
        {
            reason = await broker.PublishAsync("publisher", "two", "telemetry/v1/demo/thermal");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        Assert.InRange(reason, 0, 16);
        Assert.InRange(
            await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi \"in\" the\\cellar/thermal"),
            0,
            16
        );
        Assert.Equal(NotAuthorized, await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal"));
    }
}
