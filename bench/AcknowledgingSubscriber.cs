using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Bench;

/// <summary>
/// The yardstick: a process that takes messages and acknowledges them, and does nothing else. It prints <c>ready</c>, then answers each
/// number on its standard input by the same number when it has acknowledged so many.
/// </summary>
static class AcknowledgingSubscriber
{
    /// <summary>Its name on the command line.</summary>
    public const string Name = "ours";

    /// <summary>The last part of the topics that the yardstick reads.</summary>
    public const string Kind = "nothing";

    public static async Task<int> RunAsync(int port, string kind)
    {
        await using var mqtt = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = port,
                ClientId = "bench-subscriber",
                Subscriptions = [new MqttSubscription($"$share/bench/telemetry/v1/+/{kind}")],
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        using var stop = new CancellationTokenSource();
        var ready = new TaskCompletionSource();
        mqtt.ConnectionChanged += state =>
        {
            if (state.IsReady)
                ready.TrySetResult();
        };
        var session = mqtt.RunAsync(stop.Token);
        await ready.Task;
        Console.WriteLine("ready");
        var group = new List<MqttMessage>();
        var acknowledged = 0L;
        while (await Console.In.ReadLineAsync(stop.Token) is { } line)
        {
            var wanted = long.Parse(line, CultureInfo.InvariantCulture);
            while (acknowledged < wanted && await mqtt.WaitForMessagesAsync(stop.Token))
            {
                group.Clear();
                while (group.Count < 1000 && mqtt.TryReceive(out var message))
                    group.Add(message);
                mqtt.Acknowledge(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(group));
                acknowledged += group.Count;
            }
            Console.WriteLine(line);
        }
        await stop.CancelAsync();
        await session;
        return 0;
    }
}
