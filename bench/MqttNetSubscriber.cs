using System.Globalization;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace ThermalStreaming.Bench;

/// <summary>
/// A peer: MQTTnet's ready-made client in a process of its own, which acknowledges what comes and does nothing else. It talks to the
/// benchmark as <see cref="AcknowledgingSubscriber"/> does.
/// </summary>
static class MqttNetSubscriber
{
    /// <summary>Its name on the command line.</summary>
    public const string Name = "mqttnet";

    public static async Task<int> RunAsync(int port, string kind)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var received = 0L;
        var wanted = long.MaxValue;
        using var reached = new SemaphoreSlim(0);
        client.ApplicationMessageReceivedAsync += _ =>
        {
            // The client acknowledges when this returns.
            if (Interlocked.Increment(ref received) >= Volatile.Read(ref wanted))
                reached.Release();
            return Task.CompletedTask;
        };
        await client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithTcpServer("127.0.0.1", port)
                .WithProtocolVersion(MqttProtocolVersion.V500)
                .WithClientId("bench-mqttnet")
                .WithReceiveMaximum(1000)
                .Build()
        );
        await client.SubscribeAsync($"$share/bench/telemetry/v1/+/{kind}", MqttQualityOfServiceLevel.AtLeastOnce);
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            Volatile.Write(ref wanted, long.Parse(line, CultureInfo.InvariantCulture));
            // A permit may be left over from the time before.
            while (Interlocked.Read(ref received) < Volatile.Read(ref wanted))
                await reached.WaitAsync();
            Console.WriteLine(line);
        }
        await client.DisconnectAsync();
        return 0;
    }
}
