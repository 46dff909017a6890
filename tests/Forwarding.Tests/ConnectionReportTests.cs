using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What /readyz says of a slot's connection when two threads report it at once.</summary>
public sealed class ConnectionReportTests
{
    [Fact]
    public async Task A_state_that_was_read_earlier_does_not_replace_a_later_one()
    {
        var connected = new MqttConnectionState { IsConnected = true, IsSubscribed = true };
        using var first = new ManualResetEventSlim();
        using var second = new ManualResetEventSlim();
        var health = new Health();
        var reads = 0;
        var report = new ConnectionReport(
            () =>
            {
                if (Interlocked.Increment(ref reads) > 1)
                    return connected;
                first.Set();
                // The other thread reports meanwhile if it can. It must not, so this wait is nearly always in vain.
                second.Wait(TimeSpan.FromMilliseconds(500));
                return new MqttConnectionState();
            },
            health,
            "slot-0",
            "mosquitto:1883"
        );

        var early = Task.Run(report.Update);
        first.Wait(TestContext.Current.CancellationToken);
        var late = Task.Run(() =>
        {
            report.Update();
            second.Set();
        });
        await Task.WhenAll(early, late);

        Assert.True(health.IsReady, string.Join(", ", health.Parts));
    }
}
