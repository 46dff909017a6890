namespace ThermalStreaming.Bench.Tests;

/// <summary>Lag from counts of committed readings.</summary>
public sealed class LagSamplesTests
{
    [Fact]
    public void The_nth_committed_reading_is_the_nth_that_was_taken()
    {
        // A reading a second is taken, and committed 5 s later; the count is looked at twice a second.
        var lags = new LagSamples(count => count * 1000.0, ticksPerSecond: 1000);
        for (var at = 0; at <= 60_000; at += 500)
            lags.Note(at, Math.Max(0, at / 1000 - 5));

        Assert.Equal(5, lags.Percentile(0.5), precision: 6);
        Assert.Equal(5, lags.Percentile(0.99), precision: 6);
    }

    [Fact]
    public void A_stall_shows_in_the_high_percentiles()
    {
        var lags = new LagSamples(count => count * 1000.0, ticksPerSecond: 1000);
        for (var at = 0; at <= 100_000; at += 500)
            lags.Note(at, at is > 50_000 and < 60_000 ? 50 : at / 1000);

        Assert.InRange(lags.Percentile(0.5), 0, 1);
        Assert.InRange(lags.Percentile(0.99), 8, 10);
    }

    [Fact]
    public void Without_readings_there_is_no_lag() => Assert.True(double.IsNaN(new LagSamples(_ => 0, 1).Percentile(0.5)));
}
