using System.Diagnostics;
using System.Globalization;
using MQTTnet;
using MQTTnet.Protocol;

namespace ThermalStreaming.Bench;

/// <summary>
/// What it costs others to take the same messages from the same broker: MQTTnet's ready-made client, and mosquitto_sub. Each subscriber has
/// a process of its own, acknowledges, and does nothing else; they run one after the other, round by round. The two programs in .NET run
/// under the JIT with the runtime settings of the services. Fluent Bit and Telegraf, which do more of what a forwarder does, are not in
/// Debian 12.
/// </summary>
sealed class Peers(Stand stand, Results results, double share)
{
    const double MiB = 1024 * 1024;
    const int Rounds = 3;
    const string ReadyTopic = "bench/ready";
    static readonly TimeSpan ceiling = TimeSpan.FromMinutes(10);
    static readonly TimeProvider clock = TimeProvider.System;

    /// <summary>Few: Nagle and delayed acknowledgements stop some clients for 40 ms every 20 messages, which is minutes for more.</summary>
    readonly int messages = (int)(5_000 * share);

    public async Task MeasureAsync(Func<string, MessagePool> make)
    {
        using var publisher = new Publisher(stand.BrokerPort);
        await RetainAsync();
        (string Title, string Kind, Process Process, Func<Process, long, Task> ReachAsync)[] peers =
        [
            ("our client", "peer-ours", stand.StartSubscriber(AcknowledgingSubscriber.Name, "peer-ours"), ToldAsync),
            ("MQTTnet's client", "peer-mqttnet", stand.StartSubscriber(MqttNetSubscriber.Name, "peer-mqttnet"), ToldAsync),
            ("mosquitto_sub", "peer-mosquitto", stand.StartMosquittoSubscriber("peer-mosquitto", ReadyTopic), CountedAsync),
        ];
        foreach (var (_, _, process, reachAsync) in peers)
            await reachAsync(process, 0);
        var pools = peers.Select(peer => make(peer.Kind)).ToList();
        var acknowledged = new long[peers.Length];
        var rates = peers.Select(_ => new List<double>()).ToList();
        var processor = new double[peers.Length];
        // The first round is for what the runtime compiles.
        for (var round = 0; round <= Rounds; round++)
        {
            for (var i = 0; i < peers.Length; i++)
            {
                var kernel = new ProcessFigures(peers[i].Process.Id);
                var (cpu, started) = (kernel.CpuSeconds, clock.GetTimestamp());
                var before = acknowledged[i];
                acknowledged[i] += messages;
                var reached = peers[i]
                    .ReachAsync(peers[i].Process, peers[i].ReachAsync == CountedAsync ? acknowledged[i] - before : acknowledged[i]);
                await Task.Run(() => publisher.Publish(pools[i], messages));
                await reached.WaitAsync(ceiling, clock);
                if (round == 0)
                    continue;
                rates[i].Add(messages / clock.GetElapsedTime(started).TotalSeconds);
                processor[i] += kernel.CpuSeconds - cpu;
            }
        }
        for (var i = 0; i < peers.Length; i++)
        {
            var name = $"peer, only acknowledges {pools[i].PayloadBytes:0} B: {peers[i].Title}";
            results.Add(name, rates[i].Max(), "messages/s");
            results.Add($"{name}: processor", processor[i] / (Rounds * messages) * 1e6, "µs/message");
            results.Add($"{name}: peak resident", new ProcessFigures(peers[i].Process.Id).PeakResidentBytes / MiB, "MiB");
        }
    }

    /// <summary>Leaves a message that a subscriber gets as soon as its subscriptions are granted.</summary>
    async Task RetainAsync()
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", stand.BrokerPort).Build());
        await client.PublishStringAsync(ReadyTopic, "ready", MqttQualityOfServiceLevel.AtLeastOnce, retain: true);
        await client.DisconnectAsync();
    }

    /// <summary>Asks a subscriber of ours to say when it has so many; 0: when it is ready.</summary>
    static async Task ToldAsync(Process subscriber, long count)
    {
        var expected = count == 0 ? "ready" : count.ToString(CultureInfo.InvariantCulture);
        if (count > 0)
            await subscriber.StandardInput.WriteLineAsync(expected);
        if (await subscriber.StandardOutput.ReadLineAsync() is var line && line != expected)
            throw new InvalidOperationException($"A subscriber said '{line}' in place of '{expected}'.");
    }

    /// <summary>Counts what mosquitto_sub prints, a line for each message; 0: waits for the retained one.</summary>
    static async Task CountedAsync(Process subscriber, long count)
    {
        count = Math.Max(count, 1);
        var buffer = new char[64 * 1024];
        while (count > 0)
        {
            var read = await subscriber.StandardOutput.ReadAsync(buffer);
            if (read == 0)
                throw new InvalidOperationException("mosquitto_sub ended.");
            count -= buffer.AsSpan(0, read).Count('\n');
        }
    }
}
