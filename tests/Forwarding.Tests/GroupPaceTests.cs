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
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var sequence = 2; sequence <= messages + 1; sequence++)
        {
            await pace.WaitForNextTickAsync();
            await PublishAsync("pi-1", (ulong)sequence, 1);
        }
        await DeliveredAsync(messages + 1);

        // Twenty groups a second are about 60; each message by itself would be 300.
        var fsyncs = replica.Figure("thermal.forwarder.fsyncs") - before;
        Output.WriteLine($"{fsyncs} fsyncs for {messages} messages");
        Assert.InRange(fsyncs, 1, messages / 2);
    }
}
