using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The shipped broker with HOME_ASSISTANT=true: agents speak for themselves alone, and Home Assistant sees all of them.</summary>
public sealed class HomeAssistantBrokerTests
{
    const int NotAuthorized = 135;

    [Fact]
    public async Task Agents_describe_themselves_alone_and_Home_Assistant_only_listens()
    {
        await using var broker = await ShippedBroker.StartAsync(("HOME_ASSISTANT", "true"), ("DEVICE_ID", "pi"));
        var garden = await broker.EnrollAsync("garden");
        var home = await broker.EnrollAsync("homeassistant", mapping: "home-assistant");
        var agent = broker.Password("sensor-agent");

        foreach (
            var (user, password, device, other) in new[] { ("sensor-agent", agent, "pi", "garden"), ("garden", garden, "garden", "pi") }
        )
        {
            await AssertMayAsync(user, password, true, $"homeassistant/device/{device}/config", $"telemetry/v1/{device}/state");
            await AssertMayAsync(
                user,
                password,
                false,
                $"homeassistant/device/{other}/config",
                $"telemetry/v1/{other}/state",
                $"homeassistant/sensor/{device}/config",
                "homeassistant/status"
            );
            Assert.InRange(await broker.SubscribeAsync(user, password, "homeassistant/status"), 0, 2);
            Assert.Equal(NotAuthorized, await broker.SubscribeAsync(user, password, "homeassistant/#"));
            Assert.Equal(NotAuthorized, await broker.SubscribeAsync(user, password, $"telemetry/v1/{other}/state"));
        }

        await AssertMayAsync("homeassistant", home, true, "homeassistant/status");
        await AssertMayAsync(
            "homeassistant",
            home,
            false,
            "homeassistant/device/pi/config",
            "telemetry/v1/pi/state",
            "telemetry/v1/pi/thermal"
        );
        foreach (
            var filter in (string[])
                [
                    "homeassistant/+/+/config",
                    "homeassistant/device/+/config",
                    "homeassistant/status",
                    "telemetry/v1/pi/state",
                    "telemetry/v1/garden/status",
                ]
        )
            Assert.InRange(await broker.SubscribeAsync("homeassistant", home, filter), 0, 2);
        foreach (
            var filter in (string[])
                ["#", "telemetry/v1/+/thermal", "telemetry/v1/pi/thermal", "$share/snowpipe-forwarder/telemetry/v1/+/thermal"]
        )
            Assert.Equal(NotAuthorized, await broker.SubscribeAsync("homeassistant", home, filter));

        async Task AssertMayAsync(string user, string password, bool may, params string[] topics)
        {
            foreach (var topic in topics)
            {
                var reason = await broker.PublishAsync(user, password, topic);
                Assert.True(may ? reason is 0 or 16 : reason == NotAuthorized, $"{user} publishes to {topic}: {reason}");
            }
        }
    }

    [Fact]
    public async Task Without_the_setting_nobody_may_and_its_user_is_refused_with_the_cure()
    {
        await using var broker = await ShippedBroker.StartAsync(("DEVICE_ID", "pi"));

        Assert.Equal(
            NotAuthorized,
            await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "homeassistant/device/pi/config")
        );
        var refused = await broker.SetUpAsync("enroll", "homeassistant", "--mapping", "home-assistant");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("HOME_ASSISTANT=true", refused.Text, StringComparison.Ordinal);
    }
}
