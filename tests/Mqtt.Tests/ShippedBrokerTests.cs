using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The broker as it is shipped, attacked with the credentials of each of its users in turn.</summary>
[Trait("Category", "Security")]
public sealed class ShippedBrokerTests
{
    const int Granted = 1;
    const int NotAuthorized = 135;

    [Fact]
    public async Task Each_user_subscribes_to_what_it_needs_and_to_nothing_else()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var device = ("esp", await broker.EnrollAsync("esp"));
        var snowpipe = broker.Slot("snowpipe-forwarder", 0);
        var s3 = broker.Slot("s3-forwarder", 3);
        (string User, string Password)[] users =
        [
            ("sensor-agent", broker.Password("sensor-agent")),
            ("publisher", broker.Password("publisher")),
            ("publisher/7", broker.Password("publisher")),
            device,
            snowpipe,
            s3,
        ];
        var allowed = new HashSet<(string, string)>
        {
            (snowpipe.User, "$share/snowpipe-forwarder/telemetry/v1/+/thermal"),
            (snowpipe.User, "telemetry/v1/+/thermal"),
            (snowpipe.User, "$SYS/broker/uptime"),
            (s3.User, "$share/s3-forwarder/telemetry/v1/+/inverter"),
            (s3.User, "telemetry/v1/+/inverter"),
            (s3.User, "$SYS/broker/uptime"),
        };
        foreach (var user in new[] { "sensor-agent", "publisher", "publisher/7", "esp" })
            allowed.UnionWith([(user, "forwarders/v1/thermal"), (user, "forwarders/v1/inverter")]);

        foreach (var (user, password) in users)
        {
            foreach (
                var filter in new[]
                {
                    "$share/snowpipe-forwarder/telemetry/v1/+/thermal",
                    "$share/s3-forwarder/telemetry/v1/+/inverter",
                    "$share/other/telemetry/v1/+/thermal",
                    "$share/snowpipe-forwarder/telemetry/v1/pi/thermal",
                    "$share/snowpipe-forwarder/#",
                    "telemetry/v1/+/thermal",
                    "telemetry/v1/+/inverter",
                    "telemetry/v1/pi/thermal",
                    "telemetry/v1/#",
                    "#",
                    "+/+/+/+",
                    "$SYS/broker/uptime",
                    "$SYS/#",
                    "$CONTROL/dynamic-security/v1/response",
                    "forwarders/v1/thermal",
                    "forwarders/v1/inverter",
                    "forwarders/#",
                }
            )
            {
                var expected = allowed.Contains((user, filter)) ? Granted : NotAuthorized;
                Assert.True(
                    expected == await broker.SubscribeAsync(user, password, filter),
                    $"{user} subscribes to {filter}: not {expected}"
                );
            }
        }
    }

    [Fact]
    public async Task Each_user_publishes_under_its_own_name_and_others_are_told()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var snowpipe = broker.Slot("snowpipe-forwarder", 0);
        (string User, string Password, string? Device)[] users =
        [
            ("sensor-agent", broker.Password("sensor-agent"), "pi"),
            ("publisher", broker.Password("publisher"), "demo"),
            ("esp", await broker.EnrollAsync("esp"), "esp"),
            (snowpipe.User, snowpipe.Password, null),
        ];

        foreach (var (user, password, device) in users)
        {
            foreach (var name in new[] { "pi", "demo", "esp", "another" })
            {
                foreach (var end in new[] { "thermal", "inverter", "status", "Thermal", "thermal/", "thermal/x", "check", "" })
                {
                    var mayPublish = name == device && end is "thermal" or "inverter" or "status" && name == device;
                    var reason = await broker.PublishAsync(user, password, $"telemetry/v1/{name}/{end}");
                    Assert.True(
                        mayPublish ? reason is 0 or 16 : reason == NotAuthorized,
                        $"{user} publishes to telemetry/v1/{name}/{end}: {reason}"
                    );
                }
            }
            Assert.Equal(NotAuthorized, await broker.PublishAsync(user, password, "$CONTROL/dynamic-security/v1"));
            Assert.Equal(NotAuthorized, await broker.PublishAsync(user, password, "forwarders/v1/inverter"));
            Assert.Equal(device is null, await broker.PublishAsync(user, password, "forwarders/v1/thermal") is 0 or 16);
        }
    }

    [Fact]
    public async Task Nobody_takes_a_session_over_by_its_client_id()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var esp = await broker.EnrollAsync("esp");
        var (user, password) = broker.Slot("snowpipe-forwarder", 0);
        await using var forwarder = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = broker.Port,
                ClientId = user,
                UserName = "{client}",
                Password = password,
                Subscriptions = [new MqttSubscription("$share/snowpipe-forwarder/telemetry/v1/+/thermal")],
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        using var stop = new CancellationTokenSource();
        var running = forwarder.RunAsync(stop.Token);
        await Wait.UntilAsync(() => forwarder.State.IsReady, "the forwarder is ready", () => forwarder.State.LastError);

        foreach (
            var (attacker, secret) in new[]
            {
                ("esp", esp),
                ("sensor-agent", broker.Password("sensor-agent")),
                ("publisher/3", broker.Password("publisher")),
                broker.Slot("s3-forwarder", 0),
                broker.Slot("snowpipe-forwarder", 1),
            }
        )
        {
            // A clean start under its name would end its connection and throw away its session; a resumed one would fetch its messages.
            await broker.ToolAsync("mosquitto_sub", attacker, secret, "-i", user, "-t", "forwarders/v1/thermal", "-W", "1");
            await broker.ToolAsync(
                "mosquitto_sub",
                attacker,
                secret,
                "-i",
                user,
                "-c",
                "-x",
                "100",
                "-q",
                "1",
                "-t",
                "forwarders/v1/thermal",
                "-W",
                "1"
            );
        }
        Assert.InRange(await broker.PublishAsync("esp", esp, "telemetry/v1/esp/thermal", "hello"u8.ToArray()), 0, 0);
        Assert.True(await forwarder.WaitForMessagesAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System));
        Assert.True(forwarder.TryReceive(out var message));
        Assert.Equal("hello"u8.ToArray(), message.Payload.ToArray());
        forwarder.Acknowledge(message);

        Assert.Equal((true, 1), (forwarder.State.IsConnected, forwarder.State.Generation));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Retained_and_oversized_messages_are_refused()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var esp = await broker.EnrollAsync("esp");

        // MQTT 5.0 §3.2.2.3.5 and §3.2.2.3.6: the client is told in CONNACK; who ignores it is disconnected.
        var retained = await broker.ToolAsync(
            "mosquitto_pub",
            "esp",
            esp,
            "-t",
            "telemetry/v1/esp/thermal",
            "--will-topic",
            "telemetry/v1/esp/status",
            "--will-retain",
            "-q",
            "1",
            "-m",
            "x"
        );
        Assert.Contains("CONNACK (154)", retained.Text, StringComparison.Ordinal);
        Assert.Equal(
            MqttNetClient.NothingSent,
            await broker.PublishAsync("esp", esp, "telemetry/v1/esp/thermal", new byte[17 * 1024 * 1024])
        );

        Assert.InRange(await broker.PublishAsync("esp", esp, "telemetry/v1/esp/thermal"), 0, 16);
    }

    [Fact]
    public async Task A_will_that_asks_to_be_retained_is_given_without_to_a_broker_that_retains_nothing()
    {
        await using var broker = await ShippedBroker.StartAsync();
        await using var client = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = broker.Port,
                ClientId = "sensor-agent",
                UserName = "sensor-agent",
                Password = broker.Password("sensor-agent"),
                Birth = new MqttAnnouncement { Topic = "telemetry/v1/pi/status", Payload = "online"u8.ToArray() },
                Will = new MqttAnnouncement { Topic = "telemetry/v1/pi/status", Payload = "offline"u8.ToArray() },
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);

        await Wait.UntilAsync(
            () => client.State.IsConnected && client.Published == 1,
            "the birth is published",
            () => client.State.LastError
        );

        Assert.False(client.State.RetainAvailable);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Wrong_passwords_are_logged_with_where_they_come_from_and_do_not_fill_the_log()
    {
        await using var broker = await ShippedBroker.StartAsync();

        for (var i = 0; i < 40; i++)
            Assert.Equal(-NotAuthorized, await broker.PublishAsync("sensor-agent", $"guess-{i}", "telemetry/v1/pi/thermal"));

        await Wait.UntilAsync(
            () => broker.Log.Any(line => line.Contains("login was refused", StringComparison.Ordinal)),
            "a refused login is logged",
            () => string.Join('\n', broker.Log)
        );
        var lines = broker.Log.Where(line => line.Contains("refused", StringComparison.Ordinal)).ToList();
        Assert.Contains("127.0.0.1", lines[0], StringComparison.Ordinal);
        // Ten a minute, and the loop may span three minutes on a slow machine.
        Assert.InRange(lines.Count, 1, 33);
        Assert.DoesNotContain(broker.Log, line => line.Contains("guess-", StringComparison.Ordinal));
    }
}
