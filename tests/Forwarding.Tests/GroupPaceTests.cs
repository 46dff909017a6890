namespace ThermalStreaming.Forwarding.Tests;

/// <summary>How many messages share an fsync.</summary>
public sealed class GroupPaceTests(ITestOutputHelper output) : ForwarderTest(output)
{
    [Fact]
    public async Task Messages_that_come_one_by_one_share_fsyncs()
    {
        const int messages = 300;
        await using var replica = await StartAsync();
        await PublishAsync("pi-1", 1, 1);
        await DeliveredAsync(1);
        var before = replica.Figure("thermal.forwarder.fsyncs");

        // The load: 100 messages a second, or fewer on a busy machine.
        var started = TimeProvider.System.GetTimestamp();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var sequence = 2; sequence <= messages + 1; sequence++)
        {
            await pace.WaitForNextTickAsync();
            await PublishAsync("pi-1", (ulong)sequence, 1);
        }
        await DeliveredAsync(messages + 1);

        // Each message by itself would be 300 in three seconds. There are at most twenty groups a second, and a few fsyncs of files.
        var (fsyncs, seconds) = (
            replica.Figure("thermal.forwarder.fsyncs") - before,
            TimeProvider.System.GetElapsedTime(started).TotalSeconds
        );
        Output.WriteLine($"{fsyncs} fsyncs for {messages} messages in {seconds:0.0} s");
        Assert.InRange(fsyncs, 1, (30 * seconds) + 20);
    }
}
