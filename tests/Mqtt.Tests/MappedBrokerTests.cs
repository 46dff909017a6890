using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The shipped broker with mappings: who may publish and subscribe where.</summary>
public sealed class MappedBrokerTests
{
    const int Granted = 1;
    const int NotAuthorized = 135;

    static readonly (string, string)[] all = [("MAPPINGS", "tasmota,zigbee2mqtt,shelly,esphome,statestream,tasmota-inverter")];

    static async Task AssertMayAsync(ShippedBroker broker, string user, string password, bool may, params string[] topics)
    {
        foreach (var topic in topics)
        {
            var reason = await broker.PublishAsync(user, password, topic);
            Assert.True(may ? reason is 0 or 16 : reason == NotAuthorized, $"{user} publishes to {topic}: {reason}");
        }
    }

    [Fact]
    public async Task A_device_publishes_where_its_own_name_stands()
    {
        await using var broker = await ShippedBroker.StartAsync(all);
        var garden = await broker.EnrollAsync("garden");

        await AssertMayAsync(
            broker,
            "garden",
            garden,
            true,
            "telemetry/v1/garden/thermal",
            "tele/garden/SENSOR",
            "garden/events/rpc",
            "garden/status/temperature:0",
            "garden/sensor/air_temperature/state"
        );
        await AssertMayAsync(
            broker,
            "garden",
            garden,
            false,
            "telemetry/v1/shed/thermal",
            "tele/shed/SENSOR",
            "tele/garden/STATE",
            "tele/garden/SENSOR/x",
            "shed/events/rpc",
            "shed/status/temperature:0",
            "shed/sensor/air_temperature/state",
            "garden/sensor/air_temperature/command",
            "zigbee2mqtt/garden",
            "zigbee2mqtt/garden/x",
            "homeassistant_state/sensor/garden_co2/state"
        );
    }

    /// <summary>
    /// Names that are a part of a mapping's topics: what such a device publishes as itself by one mapping, another one would take as the
    /// readings of somebody else.
    /// </summary>
    [Fact]
    public async Task A_device_with_the_name_of_a_part_of_a_topic_publishes_for_nobody_else()
    {
        await using var broker = await ShippedBroker.StartAsync(all);
        foreach (
            var (name, refused, allowed) in new (string, string[], string[])[]
            {
                (
                    "homeassistant_state",
                    ["homeassistant_state/sensor/living_co2/state", "homeassistant_state/sensor/temperature/state"],
                    []
                ),
                ("zigbee2mqtt", ["zigbee2mqtt/events/rpc", "zigbee2mqtt/status/temperature:0", "zigbee2mqtt/kitchen"], []),
                ("status", ["tele/status/SENSOR"], ["status/events/rpc"]),
                ("tele", ["tele/status/SENSOR", "tele/garden/SENSOR"], ["tele/tele/SENSOR", "tele/events/rpc"]),
            }
        )
        {
            var password = await broker.EnrollAsync(name);
            await AssertMayAsync(broker, name, password, false, refused);
            await AssertMayAsync(broker, name, password, true, [.. allowed, $"telemetry/v1/{name}/thermal"]);
        }
    }

    [Fact]
    public async Task A_gateway_publishes_on_the_topics_of_its_mapping_alone()
    {
        await using var broker = await ShippedBroker.StartAsync(all);
        var zigbee = await broker.EnrollAsync("zigbee", mapping: "zigbee2mqtt");
        var home = await broker.EnrollAsync("homeassistant", mapping: "statestream");

        await AssertMayAsync(broker, "zigbee", zigbee, true, "zigbee2mqtt/kitchen", "zigbee2mqtt/living room/air", "tele/zigbee/SENSOR");
        await AssertMayAsync(
            broker,
            "zigbee",
            zigbee,
            false,
            "zigbee2mqtt/bridge/state",
            "zigbee2mqtt/kitchen/availability",
            "zigbee2mqtt/a/b/c",
            // Two subscriptions take these: a message would arrive twice.
            "zigbee2mqtt/events/rpc",
            "zigbee2mqtt/status/x",
            "homeassistant_state/sensor/living_co2/state",
            "tele/garden/SENSOR",
            "telemetry/v1/kitchen/thermal"
        );
        await AssertMayAsync(broker, "homeassistant", home, true, "homeassistant_state/sensor/living_co2/state");
        await AssertMayAsync(
            broker,
            "homeassistant",
            home,
            false,
            "homeassistant_state/sensor/living_co2/unit_of_measurement",
            "zigbee2mqtt/kitchen",
            "node/sensor/x_temperature/state"
        );
        // A new password takes nothing away.
        zigbee = await broker.EnrollAsync("zigbee", renew: true);
        await AssertMayAsync(broker, "zigbee", zigbee, true, "zigbee2mqtt/kitchen");

        Assert.Contains(
            "need no --mapping",
            (await broker.SetUpAsync("enroll", "x", "--mapping", "tasmota")).Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Gateways in use (MAPPINGS, MAPPINGS_PATH): zigbee2mqtt, statestream",
            (await broker.SetUpAsync("enroll", "x", "--mapping", "hue")).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_forwarders_subscribe_to_what_the_mappings_need()
    {
        await using var broker = await ShippedBroker.StartAsync(all);
        var device = ("garden", await broker.EnrollAsync("garden"));
        var snowpipe = broker.Slot("snowpipe-forwarder", 0);
        var s3 = broker.Slot("s3-forwarder", 3);

        foreach (
            var filter in new[] { "tele/+/SENSOR", "+/events/rpc", "+/status/+", "+/sensor/+/state", "zigbee2mqtt/+", "zigbee2mqtt/+/+" }
        )
        {
            Assert.Equal(Granted, await broker.SubscribeAsync(snowpipe.User, snowpipe.Password, $"$share/snowpipe-forwarder/{filter}"));
            Assert.Equal(NotAuthorized, await broker.SubscribeAsync(device.Item1, device.Item2, filter));
            Assert.Equal(
                filter == "tele/+/SENSOR" ? Granted : NotAuthorized,
                await broker.SubscribeAsync(s3.User, s3.Password, $"$share/s3-forwarder/{filter}")
            );
        }
        Assert.Equal(NotAuthorized, await broker.SubscribeAsync(snowpipe.User, snowpipe.Password, "$share/snowpipe-forwarder/#"));
    }

    [Fact]
    public async Task A_mapping_that_is_wrong_stops_setup_and_says_where()
    {
        using var directory = new TempDirectory();
        var file = directory.File("mappings.yaml");
        await File.WriteAllTextAsync(file, "mappings:\n  - name: garden\n    messages:\n      - topic: garden/#\n");

        await using var broker = await ShippedBroker.StartAsync();
        var failed = await Assert.ThrowsAnyAsync<Exception>(() => broker.SetUpAsync(("MAPPINGS_FILE", file)));

        Assert.Contains("mappings.yaml:4: mappings[0].messages[0].topic: ", failed.Message, StringComparison.Ordinal);
    }

    /// <summary>What the broker is told with the retain flag ends the connection: a bridge that takes the flag off is the way.</summary>
    [Fact]
    public async Task What_must_retain_comes_by_a_bridge()
    {
        await using var broker = await ShippedBroker.StartAsync(all);
        var password = await broker.EnrollAsync("homeassistant", mapping: "statestream");
        var (user, forwarderPassword) = broker.Slot("snowpipe-forwarder", 0);
        await using var bridge = await MosquittoProcess.StartAsync(
            new BrokerSettings
            {
                Configuration =
                [
                    "connection thermal",
                    $"address 127.0.0.1:{broker.Port}",
                    "remote_username homeassistant",
                    $"remote_password {password}",
                    "bridge_outgoing_retain false",
                    "notifications false",
                    "cleansession false",
                    "topic homeassistant_state/sensor/+/state out 1",
                ],
            }
        );
        var reading = broker.ToolAsync(
            "mosquitto_sub",
            user,
            forwarderPassword,
            ["-q", "1", "-C", "1", "-W", "30", "-F", "%t %p %r", "-t", "$share/snowpipe-forwarder/+/sensor/+/state"]
        );

        // Until the bridge and the subscriber are there.
        while (!reading.IsCompleted)
        {
            await using var home = await MqttNetClient.ConnectedAsync(bridge.Port, "home");
            await home.PublishAsync("homeassistant_state/sensor/living_co2/state", "655"u8.ToArray(), retain: true);
        }

        Assert.Contains("homeassistant_state/sensor/living_co2/state 655 0", (await reading).OrThrow().Output, StringComparison.Ordinal);
    }

    /// <summary>Tasmota has nothing but QoS 0.</summary>
    [Fact]
    public async Task A_forwarder_that_is_away_finds_messages_of_QoS_0_too()
    {
        await using var broker = await ShippedBroker.StartAsync(all);
        var garden = await broker.EnrollAsync("garden");
        var (user, password) = broker.Slot("snowpipe-forwarder", 0);
        string[] session = ["-q", "1", "-i", user, "-c", "-x", "3600", "-t", "$share/snowpipe-forwarder/tele/+/SENSOR"];
        (await broker.ToolAsync("mosquitto_sub", user, password, [.. session, "-E"])).OrThrow();

        foreach (var message in new[] { "one", "two" })
            (await broker.ToolAsync("mosquitto_pub", "garden", garden, ["-q", "0", "-t", "tele/garden/SENSOR", "-m", message])).OrThrow();

        var found = await broker.ToolAsync("mosquitto_sub", user, password, [.. session, "-F", "%q %p", "-C", "2", "-W", "20"]);
        Assert.Matches("(?s)0 one.*0 two", found.OrThrow().Output);
    }

    /// <summary>What docs/devices.md says: both directions in one connection, because a user is one connection.</summary>
    [Fact]
    public async Task One_bridge_brings_statestream_here_and_agents_to_Home_Assistant_and_keeps_old_states_nowhere()
    {
        await using var broker = await ShippedBroker.StartAsync([.. all, ("HOME_ASSISTANT", "true"), ("DEVICE_ID", "pi")]);
        await broker.EnrollAsync("homeassistant", mapping: "statestream");
        var password = await broker.EnrollAsync("homeassistant", renew: true, mapping: "home-assistant");
        var agent = broker.Password("sensor-agent");
        var (user, forwarderPassword) = broker.Slot("snowpipe-forwarder", 0);
        await using var bridge = await MosquittoProcess.StartAsync(
            new BrokerSettings
            {
                Configuration =
                [
                    .. DocumentedBridge()
                        .Select(line =>
                            line.StartsWith("address ", StringComparison.Ordinal) ? $"address 127.0.0.1:{broker.Port}"
                            : line.StartsWith("remote_password ", StringComparison.Ordinal) ? $"remote_password {password}"
                            : line
                        )
                        .Where(line => !line.StartsWith("bridge_cafile ", StringComparison.Ordinal)),
                    "restart_timeout 1",
                ],
            }
        );

        // Until the bridge is there.
        string[] readings = ["-q", "1", "-i", user, "-c", "-x", "3600", "-F", "%p %r", "-t", "$share/snowpipe-forwarder/+/sensor/+/state"];
        var reading = broker.ToolAsync("mosquitto_sub", user, forwarderPassword, [.. readings, "-C", "1", "-W", "30"]);
        while (!reading.IsCompleted)
        {
            await using var home = await MqttNetClient.ConnectedAsync(bridge.Port, "home");
            await home.PublishAsync("homeassistant_state/sensor/living_co2/state", "655"u8.ToArray(), retain: true);
        }
        Assert.Contains("655 0", (await reading).OrThrow().Output, StringComparison.Ordinal);
        var state = AtHomeAsync();
        while (!state.IsCompleted)
            await broker.PublishAsync("sensor-agent", agent, "telemetry/v1/pi/state", "new"u8.ToArray());
        Assert.Equal("new", await state);

        // What Home Assistant says while this broker is away comes when it is back.
        await broker.StopAsync();
        await using (var home = await MqttNetClient.ConnectedAsync(bridge.Port, "home"))
            await home.PublishAsync("homeassistant_state/sensor/living_co2/state", "700"u8.ToArray());
        await broker.StartAgainAsync();
        Assert.Contains(
            "700 0",
            (await broker.ToolAsync("mosquitto_sub", user, forwarderPassword, [.. readings, "-C", "200", "-W", "10"])).Output,
            StringComparison.Ordinal
        );

        // What agents say while the bridge is away does not.
        bridge.Kill();
        for (var i = 0; i < 20; i++)
            await broker.PublishAsync("sensor-agent", agent, "telemetry/v1/pi/state", "old"u8.ToArray());
        var waiting = await broker.ToolAsync(
            "mosquitto_sub",
            "homeassistant",
            password,
            ["-i", "homeassistant", "-c", "-x", "60", "-F", "state=%p", "-t", "homeassistant/status", "-C", "1", "-W", "3"]
        );
        Assert.Contains("received CONNACK (0)", waiting.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("state=", waiting.Text, StringComparison.Ordinal);

        async Task<string> AtHomeAsync() =>
            (
                await broker.ToolAsync(
                    "mosquitto_sub",
                    "reader",
                    "",
                    ["-p", $"{bridge.Port}", "-F", "state=%p", "-t", "telemetry/v1/+/state", "-C", "1", "-W", "30"]
                )
            )
                .OrThrow()
                .Output.Split('\n')
                .Single(line => line.StartsWith("state=", StringComparison.Ordinal))["state=".Length..];
    }

    /// <summary>The last <c>connection</c> of the page.</summary>
    static string[] DocumentedBridge()
    {
        var found = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(found!.FullName, "ThermalStreaming.slnx")))
            found = found.Parent;
        var page = File.ReadAllText(Path.Combine(found.FullName, "docs", "devices.md"));
        return page[page.LastIndexOf("connection thermal\n", StringComparison.Ordinal)..].Split("```")[0].Split('\n');
    }
}
