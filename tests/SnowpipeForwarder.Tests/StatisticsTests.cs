using ThermalStreaming.Forwarding;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public class StatisticsTests
{
    [Fact]
    public async Task One_line_says_what_was_done()
    {
        await using var fixture = await SinkFixture.StartAsync();
        var before = fixture.Statistics.Snapshot();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(503));
        var batch = fixture.Batch(0, 100);
        await fixture.SendFailsAsync(batch);
        await fixture.SendAsync(batch);
        fixture.Clock.Advance(TimeSpan.FromSeconds(6));
        fixture.Server.Commit();
        await fixture.PollAsync();

        fixture.Statistics.Report(fixture.Statistics.Snapshot(), before, TimeSpan.FromSeconds(50));

        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.Statistics));
        Assert.Contains("100 rows (2/s) in 1 batches", line);
        Assert.Contains("100 rows committed, 1 errors, 0 rows refused", line);
        Assert.Contains("commit p50 6.0 s, p95 6.0 s", line);
        Assert.Matches(@"about 0\.0\d+ credits/day", line);
    }

    [Fact]
    public async Task What_an_append_sent_is_counted_for_the_cost()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();

        await fixture.SendAsync(fixture.Batch(0, 100));

        var counted = fixture.Cost.Report().Counted;
        var sent = fixture.Statistics.Snapshot();
        Assert.Equal(new CostFigures(100, 1, 0, 0, sent.WireBytes, sent.PlainBytes), counted);
        Assert.InRange(counted.BilledBytes, 100 * 300, 100 * 1500);
    }

    [Fact]
    public async Task The_line_comes_at_the_interval()
    {
        await using var fixture = await SinkFixture.StartAsync(("STATISTICS_INTERVAL", "1m"));
        await fixture.Statistics.StartAsync(CancellationToken.None);
        using var ceiling = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!ceiling.IsCancellationRequested && fixture.Clock.NextDue is null)
            await Task.Yield();

        fixture.Clock.Advance(TimeSpan.FromMinutes(1));
        while (!ceiling.IsCancellationRequested && fixture.Log.Count == 0)
            await Task.Yield();
        await fixture.Statistics.StopAsync(CancellationToken.None);

        Assert.Single(fixture.Log.Messages());
    }
}
