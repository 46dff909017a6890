using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
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
            [("sensor-agent", broker.Password("sensor-agent")), ("publisher", broker.Password("publisher")), ("publisher/7", broker.Password("publisher")), device, snowpipe, s3];
        var allowed = new HashSet<(string, string)>
        {
            (snowpipe.User, "$share/snowpipe-forwarder/telemetry/v1/+/thermal"), (snowpipe.User, "telemetry/v1/+/thermal"), (snowpipe.User, "$SYS/broker/uptime"),
            (s3.User, "$share/s3-forwarder/telemetry/v1/+/inverter"), (s3.User, "telemetry/v1/+/inverter"), (s3.User, "$SYS/broker/uptime"),
        };
        foreach (var user in new[] { "sensor-agent", "publisher", "publisher/7", "esp" })
            allowed.UnionWith([(user, "forwarders/v1/thermal"), (user, "forwarders/v1/inverter")]);

        foreach (var (user, password) in users)
        {
            foreach (var filter in new[]
            {
                "$share/snowpipe-forwarder/telemetry/v1/+/thermal", "$share/s3-forwarder/telemetry/v1/+/inverter", "$share/other/telemetry/v1/+/thermal",
                "$share/snowpipe-forwarder/telemetry/v1/pi/thermal", "$share/snowpipe-forwarder/#", "telemetry/v1/+/thermal", "telemetry/v1/+/inverter", "telemetry/v1/pi/thermal",
                "telemetry/v1/#", "#", "+/+/+/+", "$SYS/broker/uptime", "$SYS/#", "$CONTROL/dynamic-security/v1/response", "forwarders/v1/thermal", "forwarders/v1/inverter", "forwarders/#",
            })
            {
                var expected = allowed.Contains((user, filter)) ? Granted : NotAuthorized;
                Assert.True(expected == await broker.SubscribeAsync(user, password, filter), $"{user} subscribes to {filter}: not {expected}");
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
            ("sensor-agent", broker.Password("sensor-agent"), "pi"), ("publisher", broker.Password("publisher"), "demo"), ("esp", await broker.EnrollAsync("esp"), "esp"),
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
                    Assert.True(mayPublish ? reason is 0 or 16 : reason == NotAuthorized, $"{user} publishes to telemetry/v1/{name}/{end}: {reason}");
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
        await using var forwarder = new MqttClient(new MqttOptions
        {
            Host = "127.0.0.1",
            Port = broker.Port,
            ClientId = user,
            UserName = "{client}",
            Password = password,
            Subscriptions = [new MqttSubscription("$share/snowpipe-forwarder/telemetry/v1/+/thermal")],
        }, TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var running = forwarder.RunAsync(stop.Token);
        await Wait.UntilAsync(() => forwarder.State.IsReady, "the forwarder is ready", () => forwarder.State.LastError);

        foreach (var (attacker, secret) in new[] { ("esp", esp), ("sensor-agent", broker.Password("sensor-agent")), ("publisher/3", broker.Password("publisher")), broker.Slot("s3-forwarder", 0), broker.Slot("snowpipe-forwarder", 1) })
        {
            // A clean start under its name would end its connection and throw away its session; a resumed one would fetch its messages.
            await broker.ToolAsync("mosquitto_sub", attacker, secret, "-i", user, "-t", "forwarders/v1/thermal", "-W", "1");
            await broker.ToolAsync("mosquitto_sub", attacker, secret, "-i", user, "-c", "-x", "100", "-q", "1", "-t", "forwarders/v1/thermal", "-W", "1");
        }
        Assert.InRange(await broker.PublishAsync("esp", esp, "telemetry/v1/esp/thermal", "-m", "hello"), 0, 0);
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
        var retained = await broker.ToolAsync("mosquitto_pub", "esp", esp, "-t", "telemetry/v1/esp/thermal", "--will-topic", "telemetry/v1/esp/status", "--will-retain", "-q", "1", "-m", "x");
        Assert.Contains("CONNACK (154)", retained.Text, StringComparison.Ordinal);
        using var directory = new TempDirectory();
        await File.WriteAllBytesAsync(directory.File("large"), new byte[17 * 1024 * 1024]);
        Assert.Equal(ShippedBroker.NothingSent, await broker.PublishAsync("esp", esp, "telemetry/v1/esp/thermal", "-f", directory.File("large")));

        Assert.InRange(await broker.PublishAsync("esp", esp, "telemetry/v1/esp/thermal"), 0, 16);
    }

    [Fact]
    public async Task A_will_that_asks_to_be_retained_is_given_without_to_a_broker_that_retains_nothing()
    {
        await using var broker = await ShippedBroker.StartAsync();
        await using var client = new MqttClient(new MqttOptions
        {
            Host = "127.0.0.1",
            Port = broker.Port,
            ClientId = "sensor-agent",
            UserName = "sensor-agent",
            Password = broker.Password("sensor-agent"),
            Birth = new MqttAnnouncement { Topic = "telemetry/v1/pi/status", Payload = "online"u8.ToArray() },
            Will = new MqttAnnouncement { Topic = "telemetry/v1/pi/status", Payload = "offline"u8.ToArray() },
        }, TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);

        await Wait.UntilAsync(() => client.State.IsConnected && client.Published == 1, "the birth is published", () => client.State.LastError);

        Assert.False(client.State.RetainAvailable);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task An_exhausted_lan_listener_leaves_local_clients_alone()
    {
        await using var broker = await ShippedBroker.StartAsync();
        List<TcpClient> idle = [];
        try
        {
            for (var i = 0; i < 450; i++)
            {
                var socket = new TcpClient();
                idle.Add(socket);
                await socket.ConnectAsync("127.0.0.1", broker.TlsPort);
            }

            Assert.InRange(await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal"), 0, 16);
            Assert.Equal(0, (await broker.BrokerAsync("", "healthy")).ExitCode);
        }
        finally
        {
            foreach (var socket in idle)
                socket.Dispose();
        }
        // And the LAN is served again when they are gone.
        await Wait.UntilAsync(() => NamesOf(broker) is { Length: > 0 }, "the LAN is served again");
    }

    [Fact]
    public async Task Wrong_passwords_are_logged_with_where_they_come_from_and_do_not_fill_the_log()
    {
        await using var broker = await ShippedBroker.StartAsync();

        for (var i = 0; i < 40; i++)
            Assert.Equal(-NotAuthorized, await broker.PublishAsync("sensor-agent", $"guess-{i}", "telemetry/v1/pi/thermal"));

        await Wait.UntilAsync(() => broker.Log.Any(line => line.Contains("login was refused", StringComparison.Ordinal)), "a refused login is logged", () => string.Join('\n', broker.Log));
        var lines = broker.Log.Where(line => line.Contains("refused", StringComparison.Ordinal)).ToList();
        Assert.Contains("127.0.0.1", lines[0], StringComparison.Ordinal);
        // Ten a minute, and the loop may span three minutes on a slow machine.
        Assert.InRange(lines.Count, 1, 33);
        Assert.DoesNotContain(broker.Log, line => line.Contains("guess-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_with_new_names_is_served_without_a_restart()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var mosquitto = broker.MosquittoId;
        Assert.DoesNotContain("pi.example.org", NamesOf(broker), StringComparison.Ordinal);

        await broker.SetUpAsync(("MQTT_LAN_NAMES", "pi.example.org"));

        await Wait.UntilAsync(() => NamesOf(broker)?.Contains("pi.example.org", StringComparison.Ordinal) == true, "the new certificate is served", () => $"{NamesOf(broker)}\n{string.Join('\n', broker.Log)}");
        Assert.Equal(mosquitto, broker.MosquittoId);
    }

    [Fact]
    public async Task A_certificate_that_is_about_to_expire_is_renewed()
    {
        await using var broker = await ShippedBroker.StartAsync(("CERTIFICATE_DAYS", "20"));
        var before = Certificate(broker)!;

        await broker.SetUpAsync(("CERTIFICATE_DAYS", "820"));

        await Wait.UntilAsync(() => Certificate(broker)?.NotAfter > before.NotAfter.AddDays(700), "the new certificate is served", () => string.Join('\n', broker.Log));
    }

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
        foreach (var name in new[] { "sensor-agent", "publisher", "health", "administrator", "a/b", "../x", "a+", "", "-x", "a b", "a\"b", new string('x', 65) })
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
        Assert.InRange(await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi \"in\" the\\cellar/thermal"), 0, 16);
        Assert.Equal(NotAuthorized, await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal"));
    }

    [Theory]
    [InlineData("authority")]
    [InlineData("auth")]
    [InlineData("credentials/sensor-agent")]
    [InlineData("credentials/snowpipe-forwarder")]
    [InlineData("credentials/s3-forwarder")]
    [InlineData("authority", "auth")]
    [InlineData("authority", "credentials/sensor-agent", "credentials/snowpipe-forwarder", "credentials/s3-forwarder", "credentials/publisher")]
    public async Task The_forwarders_find_what_is_queued_for_them_after_the_loss_of_volumes(params string[] volumes)
    {
        await using var broker = await ShippedBroker.StartAsync();
        var identity = broker.Installation;
        await QueueAsync(broker, "snowpipe-forwarder", "thermal", 20);
        await QueueAsync(broker, "s3-forwarder", "inverter", 20);
        await broker.StopAsync();

        foreach (var volume in volumes)
            broker.LoseVolume(volume);
        await broker.SetUpAsync();
        await broker.StartAgainAsync();

        Assert.Equal(identity, broker.Installation);
        Assert.Equal("", (await broker.BrokerAsync("", "orphans")).OrThrow().Output);
        // TLS works with what setup made again.
        Assert.NotNull(NamesOf(broker));
        foreach (var service in new[] { "snowpipe-forwarder", "s3-forwarder" })
        {
            var (user, password) = broker.Slot(service, 0);
            var resumed = await broker.ToolAsync("mosquitto_sub", user, password, "-i", user, "-c", "-x", "100000", "-q", "1", "-t", Shared(service), "-C", "20", "-W", "20");
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"reading-{i}"), resumed.Output.Split('\n').Where(line => line.StartsWith("reading-", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Sessions_of_a_lost_identity_are_named_with_what_they_hold_and_can_be_adopted()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var (lost, lostIdentity) = (broker.Slot("snowpipe-forwarder", 0).User, broker.Installation);
        await QueueAsync(broker, "snowpipe-forwarder", "thermal", 20);
        await broker.StopAsync();
        Assert.DoesNotContain(broker.Log, line => line.Contains("nobody connects as", StringComparison.Ordinal));

        foreach (var volume in new[] { "authority", "auth", "credentials/sensor-agent", "credentials/snowpipe-forwarder", "credentials/s3-forwarder", "credentials/publisher" })
            broker.LoseVolume(volume);
        await broker.SetUpAsync();
        Assert.NotEqual(lostIdentity, broker.Installation);
        await broker.StartAgainAsync();

        var warning = Assert.Single(broker.Log, line => line.Contains("nobody connects as", StringComparison.Ordinal));
        Assert.Contains($"nobody connects as {lost}:", warning, StringComparison.Ordinal);
        Assert.Contains("about 20 messages", warning, StringComparison.Ordinal);
        Assert.Contains($"setup adopt {lostIdentity} ", warning, StringComparison.Ordinal);
        Assert.Equal($"{lost} 20", (await broker.BrokerAsync("", "orphans")).OrThrow().Output);

        (await broker.SetUpAsync("adopt", lostIdentity)).OrThrow();
        await broker.StopAsync();
        await broker.StartAgainAsync();

        Assert.Equal((lost, ""), (broker.Slot("snowpipe-forwarder", 0).User, (await broker.BrokerAsync("", "orphans")).OrThrow().Output));
        var found = await broker.ToolAsync("mosquitto_sub", lost, broker.Password("snowpipe-forwarder"), "-i", lost, "-c", "-x", "100000", "-q", "1", "-t", Shared("snowpipe-forwarder"), "-C", "20", "-W", "20");
        Assert.Equal(20, found.Output.Split('\n').Count(line => line.StartsWith("reading-", StringComparison.Ordinal)));
        foreach (var wrong in new[] { "", "0123456", "012345678", "0123ABCD", "../../x" })
            Assert.NotEqual(0, (await broker.SetUpAsync("adopt", wrong)).ExitCode);
    }

    [Fact]
    public async Task Large_messages_for_absent_forwarders_do_not_take_more_memory_than_the_container_has()
    {
        // The container's limit, of which the broker takes three quarters; four sessions may queue 16 MiB each.
        const long ContainerBytes = 64 << 20;
        const int MessageBytes = 4 << 20, Messages = 40;
        using var directory = new TempDirectory();
        await using var broker = await ShippedBroker.StartAsync(("MOSQUITTO_MEMORY_LIMIT", ContainerBytes.ToString(CultureInfo.InvariantCulture)));
        var (sender, password) = ("sensor-agent", broker.Password("sensor-agent"));
        for (var slot = 0; slot < 4; slot++)
        {
            var (user, secret) = broker.Slot("snowpipe-forwarder", slot);
            await broker.ToolAsync("mosquitto_sub", user, secret, "-i", user, "-c", "-x", "100000", "-q", "1", "-t", Shared("snowpipe-forwarder"), "-E");
        }
        var payload = new byte[MessageBytes];
        new Random(0).NextBytes(payload);
        await File.WriteAllBytesAsync(directory.File("large"), payload);
        var mosquitto = broker.MosquittoId;

        var reasons = new List<int>();
        for (var message = 0; message < Messages; message++)
            reasons.Add(await broker.PublishAsync(sender, password, "telemetry/v1/pi/thermal", "-f", directory.File("large")));

        Assert.True(reasons.Exists(reason => reason == 0) && reasons.Exists(reason => reason != 0), $"not some taken and some refused: {string.Join(' ', reasons)}");
        await ServesAsync(mosquitto);
        await broker.StopAsync();
        await broker.StartAgainAsync();
        await ServesAsync(broker.MosquittoId);

        // What it took is there, whole.
        var received = 0;
        for (var slot = 0; slot < 4; slot++)
        {
            var (user, secret) = broker.Slot("snowpipe-forwarder", slot);
            var sizes = await broker.ToolAsync("mosquitto_sub", user, secret, "-i", user, "-c", "-x", "100000", "-q", "1", "-t", Shared("snowpipe-forwarder"), "-F", "size %l", "-W", "5");
            received += sizes.Output.Split('\n').Count(line => line == $"size {MessageBytes}");
        }
        Assert.InRange(received, 1, reasons.Count(reason => reason == 0));

        async Task ServesAsync(int process)
        {
            Assert.Equal(process, broker.MosquittoId);
            Assert.InRange(PeakMemory(process), 1, ContainerBytes);
            Assert.Equal(0, (await broker.BrokerAsync("", "healthy")).ExitCode);
            Assert.InRange(await broker.PublishAsync(sender, password, "telemetry/v1/pi/inverter"), 0, 16);
        }
    }

    /// <summary>The most memory that a process has had, in bytes.</summary>
    static long PeakMemory(int process)
        => 1024 * long.Parse(File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    static string Shared(string service) => $"$share/{service}/telemetry/v1/+/{(service == "s3-forwarder" ? "inverter" : "thermal")}";

    /// <summary>Makes a session of the service's first slot, without a connection, that holds so many readings.</summary>
    static async Task QueueAsync(ShippedBroker broker, string service, string kind, int count)
    {
        var (user, password) = broker.Slot(service, 0);
        await broker.ToolAsync("mosquitto_sub", user, password, "-i", user, "-c", "-x", "100000", "-q", "1", "-t", Shared(service), "-E");
        for (var i = 0; i < count; i++)
            Assert.Equal(0, await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), $"telemetry/v1/pi/{kind}", "-m", $"reading-{i}"));
    }

    [Fact]
    public async Task With_a_forwarder_away_for_a_day_the_saves_write_less_than_2_gb()
    {
        // Saves come every second here and every half hour as shipped: what one writes is what counts.
        await using var broker = await ShippedBroker.StartAsync(("MQTT_AUTOSAVE_SECONDS", "1"));
        var esp = await broker.EnrollAsync("esp");
        foreach (var (service, kind) in new[] { ("snowpipe-forwarder", "thermal"), ("s3-forwarder", "inverter") })
        {
            var (user, password) = broker.Slot(service, 0);
            await broker.ToolAsync("mosquitto_sub", user, password, "-i", user, "-c", "-x", "100000", "-q", "1", "-t", $"$share/{service}/telemetry/v1/+/{kind}", "-E");
        }
        await using var device = new MqttClient(new MqttOptions { Host = "127.0.0.1", Port = broker.Port, ClientId = "esp", UserName = "esp", Password = esp }, TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var running = device.RunAsync(stop.Token);
        // 40 MB for each forwarder, more than twice what the broker keeps for one.
        foreach (var kind in new[] { "thermal", "inverter" })
            await Task.WhenAll(Enumerable.Range(0, 20_000).Select(_ => device.PublishAsync($"telemetry/v1/esp/{kind}", new byte[2_000], MqttQos.AtLeastOnce)));

        var mosquitto = broker.MosquittoId;
        const int Saves = 4;
        var (written, saves, last) = (0L, -1, DateTime.MinValue);
        await Wait.UntilAsync(() =>
        {
            device.PublishAsync("telemetry/v1/esp/status", new byte[1], MqttQos.AtLeastOnce).Wait();
            if (File.GetLastWriteTimeUtc(broker.DatabaseFile) is var saved && saved != last)
                (saves, last) = (saves + 1, saved);
            if (saves == 0 && written == 0)
                written = Written(mosquitto);
            return saves == Saves;
        }, "the broker has saved");
        var each = (Written(mosquitto) - written) / Saves;

        // It has kept what it may (otherwise there would be nothing to measure), and writes it 48 times a day.
        Assert.InRange(new FileInfo(broker.DatabaseFile).Length, 2 * 14_000_000, 2 * 18_000_000);
        Assert.InRange(each * 48, 1, 2_000_000_000);
        await stop.CancelAsync();
        await running;
    }

    /// <summary>Bytes that a process has written since its start, to files, pipes and sockets.</summary>
    static long Written(int process) => long.Parse(File.ReadAllLines($"/proc/{process}/io").Single(line => line.StartsWith("wchar", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    static X509Certificate2? Certificate(ShippedBroker broker)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", broker.TlsPort);
            using var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
            tls.AuthenticateAsClient("localhost");
            return new X509Certificate2(tls.RemoteCertificate!);
        }
        catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            return null;
        }
    }

    /// <summary>The names in the certificate that is served now; null without one.</summary>
    static string? NamesOf(ShippedBroker broker)
    {
        using var certificate = Certificate(broker);
        return certificate?.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().Format(false);
    }
}
