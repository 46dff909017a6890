using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>New passwords for users of the shipped broker while they are connected, as <c>./up --rotate-password</c> makes them.</summary>
public sealed class PasswordRotationTests
{
    const string Topic = "telemetry/v1/pi/thermal";

    [Fact]
    public async Task A_forwarder_that_is_connected_gets_a_new_password_and_keeps_its_session()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var (slot, old) = broker.Slot("snowpipe-forwarder", 0);
        await using var forwarder = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = broker.Port,
                ClientId = slot,
                UserName = "{client}",
                Password = old,
                PasswordFile = broker.PasswordFile("snowpipe-forwarder"),
                Subscriptions = [new MqttSubscription("$share/snowpipe-forwarder/telemetry/v1/+/thermal")],
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        using var stop = new CancellationTokenSource();
        var running = forwarder.RunAsync(stop.Token);
        await Wait.UntilAsync(() => forwarder.State.IsReady, "the forwarder is ready", () => forwarder.State.LastError);
        var mosquitto = broker.MosquittoId;
        // Not acknowledged: the session owes it to the forwarder.
        Assert.Equal(0, await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), Topic, "before"u8.ToArray()));
        Assert.Equal(("before", 1L), await ReceiveAsync(forwarder));

        await broker.RotateAsync("snowpipe-forwarder");
        await Wait.UntilAsync(
            () => forwarder.State is { IsReady: true, Generation: 2 },
            "it is connected again",
            () => forwarder.State.LastError
        );
        Assert.Equal(0, await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), Topic, "after"u8.ToArray()));

        Assert.Equal(("before", 2L), await ReceiveAsync(forwarder));
        Assert.Equal(("after", 2L), await ReceiveAsync(forwarder));
        Assert.NotEqual(old, broker.Password("snowpipe-forwarder"));
        Assert.True(await broker.SubscribeAsync($"snowpipe-forwarder-{broker.Installation}-slot-5", old, Topic) < 0);
        Assert.True(
            await broker.SubscribeAsync(
                $"snowpipe-forwarder-{broker.Installation}-slot-5",
                broker.Password("snowpipe-forwarder"),
                "telemetry/v1/+/thermal"
            )
                is 0
                    or 1
        );
        // Mosquitto was not restarted for it, and is not later: two rounds of its watch.
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        Assert.Equal(mosquitto, broker.MosquittoId);
        await stop.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData("sensor-agent", "sensor-agent", Topic)]
    [InlineData("sensor-agent", "sensor-agent/check", Topic)]
    [InlineData("publisher", "publisher/7", "telemetry/v1/demo/thermal")]
    public async Task Each_login_of_a_user_has_the_new_password_at_once_also_after_a_restart(string user, string login, string topic)
    {
        await using var broker = await ShippedBroker.StartAsync();
        var old = broker.Password(user);

        var printed = await broker.RotateAsync(user);

        Assert.Equal(printed, broker.Password(user));
        Assert.True(await broker.PublishAsync(login, old, topic) < 0);
        Assert.InRange(await broker.PublishAsync(login, printed, topic), 0, 16);
        Assert.Equal(0, (await broker.BrokerAsync(printed, "login", $"{user}/check")).ExitCode);
        Assert.Equal(1, (await broker.BrokerAsync(old, "login", $"{user}/check")).ExitCode);
        await broker.StopAsync();
        await broker.SetUpAsync();
        await broker.StartAgainAsync();
        Assert.True(await broker.PublishAsync(login, old, topic) < 0);
        Assert.InRange(await broker.PublishAsync(login, printed, topic), 0, 16);
    }

    [Fact]
    public async Task A_user_that_is_no_service_or_whose_password_is_a_setting_is_refused_and_keeps_its_password()
    {
        await using var broker = await ShippedBroker.StartAsync(("MQTT_PUBLISHER_PASSWORD", "set-in-env"));
        var device = await broker.EnrollAsync("esp");

        Assert.Equal(3, (await broker.SetUpAsync("rotate", "esp")).ExitCode);
        Assert.Equal(3, (await broker.SetUpAsync("rotate", "nobody")).ExitCode);
        Assert.Equal(3, (await broker.SetUpAsync("rotate", "")).ExitCode);
        Assert.Equal(4, (await broker.SetUpAsync("rotate", "publisher")).ExitCode);

        Assert.InRange(await broker.PublishAsync("esp", device, "telemetry/v1/esp/thermal"), 0, 16);
        Assert.InRange(await broker.PublishAsync("publisher", "set-in-env", "telemetry/v1/demo/thermal"), 0, 16);
    }

    [Fact]
    public void The_last_known_password_counts_while_the_file_cannot_be_read_or_is_empty()
    {
        using var directory = new TempDirectory();
        var options = new MqttOptions { Password = "known", PasswordFile = directory.File("password") };
        Assert.Equal("known", options.CurrentPassword());

        File.WriteAllText(directory.File("password"), "\n");
        Assert.Equal("known", options.CurrentPassword());
        File.WriteAllText(directory.File("password"), "new\r\n");
        Assert.Equal("new", options.CurrentPassword());
        Assert.Null(new MqttOptions().CurrentPassword());
    }

    static async Task<(string Text, long Generation)> ReceiveAsync(MqttClient client)
    {
        MqttMessage message;
        while (!client.TryReceive(out message))
            Assert.True(await client.WaitForMessagesAsync(CancellationToken.None).AsTask().Within());
        return (Encoding.UTF8.GetString(message.Payload.Span), message.Generation);
    }
}
