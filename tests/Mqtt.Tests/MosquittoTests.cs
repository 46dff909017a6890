using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The client against a real broker.</summary>
public sealed class MosquittoTests(ITestOutputHelper output)
{
    static MqttOptions Options(int port, string clientId, params string[] filters) => new()
    {
        Host = "127.0.0.1",
        Port = port,
        ClientId = clientId,
        MaximumReconnectDelay = TimeSpan.FromMilliseconds(200),
        Subscriptions = [.. filters.Select(f => new MqttSubscription(f))],
    };

    static byte[] Number(int number) => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    static int Number(MqttMessage message) => int.Parse(Encoding.UTF8.GetString(message.Payload.Span), CultureInfo.InvariantCulture);

    static Task<MqttReasonCode[]> Publish(RunningClient publisher, string topic, int from, int count) =>
        Task.WhenAll(Enumerable.Range(from, count).Select(i => publisher.Client.PublishAsync(topic, Number(i), MqttQos.AtLeastOnce)));

    [Fact]
    public async Task Publishes_receives_and_acknowledges()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var subscriber = await new RunningClient(Options(broker.Port, "subscriber", "telemetry/#")).ReadyAsync();
        await using var publisher = await new RunningClient(Options(broker.Port, "publisher")).ReadyAsync();

        var reason = await publisher.Client.PublishAsync("telemetry/v1/pi/thermal", "22.5"u8.ToArray(), MqttQos.AtLeastOnce, contentType: "text/plain").Within();
        var message = await subscriber.ReceiveAsync();
        subscriber.Client.Acknowledge(message);

        Assert.Equal(MqttReasonCode.Success, reason);
        Assert.Equal("telemetry/v1/pi/thermal", message.Topic);
        Assert.Equal("22.5", Encoding.UTF8.GetString(message.Payload.Span));
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal(MqttQos.AtLeastOnce, message.Qos);
        Assert.False(message.Duplicate);
        Assert.Equal(1, subscriber.Client.Counters.Acknowledged);
    }

    [Fact]
    public async Task A_message_for_nobody_is_acknowledged_as_such()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var publisher = new RunningClient(Options(broker.Port, "publisher"));

        var reason = await publisher.Client.PublishAsync("nobody/listens", new byte[1], MqttQos.AtLeastOnce).Within();

        Assert.Equal(MqttReasonCode.NoMatchingSubscribers, reason);
    }

    [Fact]
    public async Task Qos_0_arrives_with_qos_0()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var subscriber = await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(Options(broker.Port, "publisher")).ReadyAsync();

        await publisher.Client.PublishAsync("t", Number(1), MqttQos.AtMostOnce).Within();
        var message = await subscriber.ReceiveAsync();

        Assert.Equal((1, MqttQos.AtMostOnce, 0), (Number(message), message.Qos, message.PacketId));
    }

    [Fact]
    public async Task A_shared_subscription_gives_each_message_to_one_of_two_clients()
    {
        const int Count = 1000;
        await using var broker = await MosquittoProcess.StartAsync();
        await using var one = await new RunningClient(Options(broker.Port, "one", "$share/forwarders/t/#")).ReadyAsync();
        await using var two = await new RunningClient(Options(broker.Port, "two", "$share/forwarders/t/#")).ReadyAsync();
        await using var publisher = new RunningClient(Options(broker.Port, "publisher"));
        ConcurrentBag<int> numbers = [];

        await Publish(publisher, "t/1", 0, Count).Within();
        var ofOne = TakeAll(one);
        var ofTwo = TakeAll(two);
        await Wait.UntilAsync(() => numbers.Count >= Count, "all have arrived");
        await one.StopAsync();
        await two.StopAsync();

        Assert.Equal(Enumerable.Range(0, Count), numbers.Order());
        Assert.True(await ofOne > 0);
        Assert.True(await ofTwo > 0);

        async Task<int> TakeAll(RunningClient client)
        {
            var count = 0;
            while (await client.Client.WaitForMessagesAsync(CancellationToken.None))
            {
                while (client.Client.TryReceive(out var message))
                {
                    numbers.Add(Number(message));
                    client.Client.Acknowledge(message);
                    count++;
                }
            }
            return count;
        }
    }

    [Fact]
    public async Task What_was_published_while_away_is_received_after_coming_back()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var publisher = new RunningClient(Options(broker.Port, "publisher"));
        await using (await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync())
        {
        }

        await Publish(publisher, "t", 0, 50).Within();
        await using var again = await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync();
        var messages = await again.ReceiveAsync(50);

        Assert.True(again.Client.State.SessionPresent);
        Assert.Equal(Enumerable.Range(0, 50), messages.Select(Number));
    }

    [Fact]
    public async Task What_was_not_acknowledged_comes_again_marked_as_duplicate_and_what_was_does_not()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var publisher = new RunningClient(Options(broker.Port, "publisher"));
        await using (var subscriber = await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync())
        {
            await Publish(publisher, "t", 0, 10).Within();
            var messages = await subscriber.ReceiveAsync(10);
            subscriber.Client.Acknowledge(messages[0]);
            subscriber.Client.Acknowledge(messages[1]);
            subscriber.Client.Acknowledge(messages[5]);
        }

        await using var again = await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync();
        var repeated = await again.ReceiveAsync(8);

        // 5 was acknowledged too, but its turn was after 2.
        Assert.Equal(Enumerable.Range(2, 8), repeated.Select(Number));
        Assert.All(repeated, m => Assert.True(m.Duplicate));
    }

    [Fact]
    public async Task A_smaller_receive_maximum_than_before_is_no_trap()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var publisher = new RunningClient(Options(broker.Port, "publisher"));
        var options = Options(broker.Port, "subscriber", "t");
        await using (var subscriber = await new RunningClient(options).ReadyAsync())
        {
            await Publish(publisher, "t", 0, 100).Within();
            await subscriber.ReceiveAsync(100);
        }

        options.ReceiveMaximum = 10;
        await using var again = await new RunningClient(options).ReadyAsync();
        for (var i = 0; i < 100; i++)
        {
            var message = await again.ReceiveAsync();
            again.Client.Acknowledge(message);
            Assert.Equal(i, Number(message));
        }

        Assert.Equal(1, again.Client.Counters.Connections);
    }

    [Fact]
    public async Task Every_publish_is_acknowledged_once_although_the_broker_is_killed_in_mid_stream()
    {
        const int Count = 6000;
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Persistence = true });
        await using var publisher = new RunningClient(Options(broker.Port, "publisher"));
        var acknowledged = 0;

        var all = Task.WhenAll(Enumerable.Range(0, Count).Select(async i =>
        {
            await publisher.Client.PublishAsync("t", new byte[600], MqttQos.AtLeastOnce);
            Interlocked.Increment(ref acknowledged);
        }));
        foreach (var mark in new[] { 500, 2000, 4000 })
        {
            await Wait.UntilAsync(() => Volatile.Read(ref acknowledged) >= mark, $"{mark} are acknowledged");
            broker.Kill();
            await broker.StartAgainAsync();
        }
        await all.Within();

        Assert.Equal(Count, acknowledged);
        Assert.Equal(Count, publisher.Client.Published);
        Assert.Equal(0, publisher.Client.PendingPublishes);
        await Wait.UntilAsync(() => publisher.Client.Counters.Connections >= 2, "there is a second connection");
    }

    [Fact]
    public async Task Nothing_is_lost_between_two_clients_whose_connections_are_cut_again_and_again()
    {
        const int Count = 5000;
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Configuration = ["max_queued_messages 100000"] });
        await using var proxy = new TestProxy(broker.Port);
        await using var subscriber = await new RunningClient(Options(proxy.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(Options(proxy.Port, "publisher")).ReadyAsync();
        HashSet<int> seen = [];
        List<int> firstTimes = [];

        var publishing = Publish(publisher, "t", 0, Count);
        var cuts = 0;
        for (var received = 0; seen.Count < Count; received++)
        {
            var message = await subscriber.ReceiveAsync();
            if (seen.Add(Number(message)))
                firstTimes.Add(Number(message));
            subscriber.Client.Acknowledge(message);
            if (cuts < 5 && seen.Count >= (cuts + 1) * 800)
            {
                cuts++;
                proxy.Cut();
            }
        }
        await publishing.Within();

        Assert.Equal(Enumerable.Range(0, Count), seen.Order());
        // First deliveries are in the order of publishing, cuts or not (§4.6).
        Assert.Equal(firstTimes.Order(), firstTimes);
        Assert.True(subscriber.Client.Counters.Connections > 1);
    }

    [Fact]
    public async Task The_will_is_published_when_the_connection_is_cut_and_not_after_a_stop()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var proxy = new TestProxy(broker.Port);
        await using var watcher = await new RunningClient(Options(broker.Port, "watcher", "status/#")).ReadyAsync();
        var options = Options(proxy.Port, "agent");
        options.Will = new MqttAnnouncement { Topic = "status/agent", Payload = "offline"u8.ToArray(), ContentType = "text/plain" };
        options.Birth = new MqttAnnouncement { Topic = "status/agent", Payload = "online"u8.ToArray() };
        var agent = await new RunningClient(options).ReadyAsync();

        var birth = await watcher.ReceiveAsync();
        proxy.Cut();
        var will = await watcher.ReceiveAsync();
        var secondBirth = await watcher.ReceiveAsync();
        await agent.Client.PublishAsync("status/agent", "stopped"u8.ToArray(), MqttQos.AtLeastOnce, retain: true).Within();
        await agent.DisposeAsync();
        var last = await watcher.ReceiveAsync();
        await using var later = await new RunningClient(Options(broker.Port, "later", "status/#")).ReadyAsync();
        var retained = await later.ReceiveAsync();

        Assert.Equal("online", Encoding.UTF8.GetString(birth.Payload.Span));
        Assert.Equal("offline", Encoding.UTF8.GetString(will.Payload.Span));
        Assert.Equal("text/plain", will.ContentType);
        Assert.Equal("online", Encoding.UTF8.GetString(secondBirth.Payload.Span));
        Assert.Equal("stopped", Encoding.UTF8.GetString(last.Payload.Span));
        Assert.Equal("stopped", Encoding.UTF8.GetString(retained.Payload.Span));
        Assert.True(retained.Retain);
    }

    [Fact]
    public async Task A_wrong_password_is_explained_and_a_right_one_works()
    {
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Users = new Dictionary<string, string> { ["agent"] = "right" } });
        var options = Options(broker.Port, "agent");
        options.UserName = "agent";
        options.Password = "wrong";
        await using var refused = new RunningClient(options);

        await Wait.UntilAsync(() => refused.Client.State.LastError is not null, "the broker refuses");
        options.Password = "right";
        await using var accepted = await new RunningClient(options).ReadyAsync();

        Assert.Contains("user 'agent'", refused.Client.State.LastError, StringComparison.Ordinal);
        Assert.Contains("MQTT_USER and MQTT_PASSWORD", refused.Client.State.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", refused.Client.State.LastError, StringComparison.Ordinal);
        Assert.True(refused.Client.State.LastReason is MqttReasonCode.NotAuthorized or MqttReasonCode.BadUserNameOrPassword);
        Assert.False(refused.Client.State.IsReady);
    }

    [Fact]
    public async Task A_publish_that_the_acl_forbids_fails_with_the_reason_and_the_connection_stays()
    {
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings
        {
            Users = new Dictionary<string, string> { ["agent"] = "secret" },
            Acl = ["user agent", "topic write telemetry/#"],
        });
        var options = Options(broker.Port, "agent");
        options.UserName = "agent";
        options.Password = "secret";
        await using var agent = await new RunningClient(options).ReadyAsync();

        var refusal = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => agent.Client.PublishAsync("forbidden", new byte[1], MqttQos.AtLeastOnce).Within());
        await agent.Client.PublishAsync("telemetry/1", new byte[1], MqttQos.AtLeastOnce).Within();

        Assert.Equal(MqttReasonCode.NotAuthorized, refusal.Reason);
        Assert.Contains("'forbidden'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ACL", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, agent.Client.Counters.Connections);
    }

    [Fact]
    public async Task A_payload_stays_as_it_is_until_it_is_acknowledged_whatever_else_is_acknowledged_twice_or_too_late()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Persistence = true, Configuration = ["max_inflight_messages 1000"] });
        await using var subscriber = await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(Options(broker.Port, "publisher")).ReadyAsync();
        var hands = new List<MqttMessage>();
        var old = new List<MqttMessage>();

        // No more than the client takes in while the first one is unacknowledged.
        for (var round = 0; round < 5; round++)
        {
            var sending = Task.WhenAll(Enumerable.Range(round * 20, 20).Select(number => publisher.Client.PublishAsync("t", Large(number), MqttQos.AtLeastOnce)));
            for (var i = 0; i < 20; i++)
                hands.Add(await subscriber.ReceiveAsync());
            await sending.Within();
            for (var i = random.Next(10, 20); i > 0; i--)
            {
                var one = hands[random.Next(hands.Count)];
                Intact(one);
                subscriber.Client.Acknowledge([one, one]);
                hands.Remove(one);
                old.Add(one);
            }
            subscriber.Client.Acknowledge(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(old));
            hands.ForEach(Intact);
        }
        // What is in hand when the connection breaks comes again, and remains readable as long as somebody holds it.
        await broker.StopAsync();
        await broker.StartAgainAsync();
        var again = new List<MqttMessage>();
        while (again.Count < hands.Count)
            again.Add(await subscriber.ReceiveAsync());
        subscriber.Client.Acknowledge(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(hands));
        again.ForEach(Intact);
        hands.ForEach(Intact);

        static byte[] Large(int number)
        {
            var payload = new byte[2048 + number % 100];
            Array.Fill(payload, (byte)number);
            BitConverter.TryWriteBytes(payload, number);
            return payload;
        }

        static void Intact(MqttMessage message) => Assert.Equal(Large(BitConverter.ToInt32(message.Payload.Span)), message.Payload.ToArray());
    }

    [Fact]
    public async Task Tls_with_own_authority_and_client_certificate_works()
    {
        using var certificates = new TestCertificates();
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Tls = certificates.ForBroker(requireClientCertificate: true) });
        var options = Options(broker.TlsPort, "secure", "t");
        options.Tls = new MqttTls
        {
            CaFile = certificates.CaFile,
            ClientCertificateFile = certificates.ClientCertificateFile,
            ClientKeyFile = certificates.ClientKeyFile,
        };
        await using var client = await new RunningClient(options).ReadyAsync();
        var payload = new byte[300_000];
        Random.Shared.NextBytes(payload);

        await client.Client.PublishAsync("t", payload, MqttQos.AtLeastOnce).Within();
        var message = await client.ReceiveAsync();

        Assert.Equal(payload, message.Payload.ToArray());
    }

    [Fact]
    public async Task A_broker_that_wants_a_client_certificate_and_gets_none_is_explained()
    {
        using var certificates = new TestCertificates();
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Tls = certificates.ForBroker(requireClientCertificate: true) });
        var options = Options(broker.TlsPort, "secure");
        options.Tls = new MqttTls { CaFile = certificates.CaFile };
        await using var client = new RunningClient(options);

        await Wait.UntilAsync(() => client.Client.State.LastError is not null, "the broker refuses");

        Assert.Contains("client certificate", client.Client.State.LastError!.Replace("client's", "client", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_of_an_unknown_authority_or_another_name_is_not_trusted_unless_allowed()
    {
        using var certificates = new TestCertificates();
        using var others = new TestCertificates();
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Tls = certificates.ForBroker(requireClientCertificate: false) });
        var options = Options(broker.TlsPort, "a");
        options.Tls = new MqttTls { CaFile = others.CaFile };
        await using var unknown = new RunningClient(options);
        options.ClientId = "b";
        options.Tls = new MqttTls { CaFile = certificates.CaFile, ServerName = "elsewhere.example" };
        await using var misnamed = new RunningClient(options);
        options.ClientId = "c";
        options.Tls = new MqttTls { AllowUntrusted = true };
        await using var trusting = await new RunningClient(options).ReadyAsync();
        options.ClientId = "d";
        options.Tls = new MqttTls { CaFile = "/does/not/exist.pem" };
        await using var fileless = new RunningClient(options);

        await Wait.UntilAsync(() => unknown.Client.State.LastError is not null && misnamed.Client.State.LastError is not null
            && fileless.Client.State.LastError is not null, "all are refused");

        Assert.Contains("CA file", unknown.Client.State.LastError, StringComparison.Ordinal);
        Assert.Contains("'elsewhere.example'", misnamed.Client.State.LastError, StringComparison.Ordinal);
        Assert.Contains("/does/not/exist.pem", fileless.Client.State.LastError, StringComparison.Ordinal);
        Assert.Equal(0, unknown.Client.Counters.Connections + misnamed.Client.Counters.Connections);
    }

    [Fact]
    public async Task Large_payloads_pass_and_larger_ones_than_announced_do_not_arrive()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var wide = await new RunningClient(Options(broker.Port, "wide", "t")).ReadyAsync();
        var narrowOptions = Options(broker.Port, "narrow", "t");
        narrowOptions.MaximumPacketSize = 10_000;
        await using var narrow = await new RunningClient(narrowOptions).ReadyAsync();
        var large = new byte[6_000_000];
        Random.Shared.NextBytes(large);

        await wide.Client.PublishAsync("t", large, MqttQos.AtLeastOnce).Within();
        var first = await wide.ReceiveAsync();
        wide.Client.Acknowledge(first);
        await wide.Client.PublishAsync("t", Number(1), MqttQos.AtLeastOnce).Within();
        var second = await wide.ReceiveAsync();
        var one = await narrow.ReceiveAsync();

        Assert.Equal(large, first.Payload.ToArray());
        Assert.Equal(1, Number(second));
        Assert.Equal(1, Number(one));
        Assert.Equal(1, narrow.Client.Counters.Connections);
    }

    [Fact]
    public async Task A_second_client_with_the_same_id_takes_over_and_the_first_says_what_to_look_for()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        var options = Options(broker.Port, "same");
        await using var first = await new RunningClient(options).ReadyAsync();

        await using (new RunningClient(options))
            await Wait.UntilAsync(() => first.Snapshot().Any(s => s.LastError is not null), "the first has lost its connection");
        await first.ReadyAsync();

        // Mosquitto 2.0.11 closes without a DISCONNECT here; later versions say "session taken over".
        Assert.Contains(first.Snapshot(), s => s.LastError?.Contains("client id", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task After_unsubscribing_nothing_comes_and_the_session_can_be_discarded()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var publisher = await new RunningClient(Options(broker.Port, "publisher")).ReadyAsync();
        await using (var subscriber = await new RunningClient(Options(broker.Port, "retiring", "t", "control")).ReadyAsync())
        {
            await subscriber.Client.UnsubscribeAsync("t", CancellationToken.None).Within();
            await publisher.Client.PublishAsync("t", Number(1), MqttQos.AtLeastOnce).Within();
            await publisher.Client.PublishAsync("control", Number(2), MqttQos.AtLeastOnce).Within();

            Assert.Equal(2, Number(await subscriber.ReceiveAsync()));
            subscriber.Client.DiscardSessionOnStop = true;
        }

        await using var again = await new RunningClient(Options(broker.Port, "retiring", "control")).ReadyAsync();

        Assert.False(again.Client.State.SessionPresent);
    }

    [Fact]
    public async Task A_silent_network_is_noticed_within_the_keep_alive_and_a_new_connection_made()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var proxy = new TestProxy(broker.Port);
        var options = Options(proxy.Port, "client", "t");
        options.KeepAlive = TimeSpan.FromSeconds(2);
        await using var client = await new RunningClient(options).ReadyAsync();

        proxy.Silence();
        await Wait.UntilAsync(() => client.Client.State.Generation >= 2 && client.Client.State.IsReady, "there is a new connection");

        Assert.Contains(client.Snapshot(), s => s.LastError?.Contains("nothing came", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task An_idle_connection_stays_up_by_pings()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        var options = Options(broker.Port, "client");
        // Long enough for a machine that stalls for some seconds.
        options.KeepAlive = TimeSpan.FromSeconds(5);
        await using var client = await new RunningClient(options).ReadyAsync();
        var before = client.Client.Counters.BytesReceived;

        // Two bytes for each PINGRESP; four of them are longer than the broker would wait without.
        await Wait.UntilAsync(() => client.Client.Counters.BytesReceived >= before + 8, "four pings are answered");

        Assert.Equal(1, client.Client.Counters.Connections);
    }

    [Fact]
    public async Task A_broker_that_stops_in_good_order_and_comes_back_is_found_again()
    {
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Persistence = true });
        await using var client = await new RunningClient(Options(broker.Port, "client", "t")).ReadyAsync();

        await broker.StopAsync();
        await Wait.UntilAsync(() => !client.Client.State.IsConnected, "the loss is noticed");
        var pending = client.Client.PublishAsync("t", Number(7), MqttQos.AtLeastOnce);
        await broker.StartAgainAsync();
        await pending.Within();

        Assert.Equal(7, Number(await client.ReceiveAsync()));
        Assert.True(client.Client.State.SessionPresent);
    }

    [Fact]
    public async Task Moves_many_messages_in_order()
    {
        const int Count = 30_000;
        await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Configuration = ["max_queued_messages 0", "max_inflight_messages 1000"] });
        await using var subscriber = await new RunningClient(Options(broker.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(Options(broker.Port, "publisher")).ReadyAsync();

        var publishing = Publish(publisher, "t", 0, Count);
        var next = 0;
        while (next < Count)
        {
            var message = await subscriber.ReceiveAsync();
            Assert.Equal(next, Number(message));
            next++;
            subscriber.Client.Acknowledge(message);
        }
        await publishing.Within();

        Assert.Equal(Count, subscriber.Client.Counters.Acknowledged);
        Assert.Equal(1, subscriber.Client.Counters.Connections);
    }
}
