namespace ThermalStreaming.Bench.Tests;

/// <summary>The simulation of a slot, against arithmetic by hand from the forwarder's rules and Snowflake's limits.</summary>
public sealed class SlotSimulationTests
{
    const double RowBytes = 860;
    static readonly TimeSpan commitDelay = TimeSpan.FromSeconds(5);

    [Fact]
    public void The_rules_are_the_shipped_settings()
    {
        var model = SlotModel.Shipped();

        Assert.Equal(
            (10_000, 2_650_000, TimeSpan.FromSeconds(1)),
            (model.Batches.MaxReadings, model.Batches.MaxBytes, model.Batches.Linger)
        );
        Assert.Equal((10, 20e6), (model.RequestsPerSecond, model.BytesPerSecond));
        Assert.Equal((SnowflakeLimits.AppendsPerChannel, SnowflakeLimits.BytesPerChannel), (model.RequestsPerSecond, model.BytesPerSecond));
    }

    [Fact]
    public void A_busy_slot_appends_and_asks_once_in_a_linger_and_a_round_trip()
    {
        var model = SlotModel.Shipped() with { RoundTrip = TimeSpan.FromMilliseconds(100) };

        var calls = model.Rate(200, RowBytes, commitDelay);

        // Linger 1 s and the append's round trip. A status call a second after the last, with its own round trip; each waits for the other.
        Assert.InRange(calls.Appends, 1 / 1.25, 1 / 1.08);
        Assert.InRange(calls.Status, 1 / 1.25, 1 / 1.08);
    }

    [Fact]
    public void A_reading_in_a_while_costs_an_append_and_the_questions_until_its_commit()
    {
        const double perSecond = 1 / 300.0;

        var calls = Long(SlotModel.Shipped(), perSecond).PerSecond;

        // Mostly each reading goes alone: 5 s of asking once a second, and otherwise once in 30 s.
        Assert.InRange(calls.Appends / perSecond, 0.95, 1.04);
        Assert.InRange(calls.Status, perSecond * 4 + (1 - perSecond * 6) / 30 * 0.9, perSecond * 7 + 1 / 30.0);
    }

    [Fact]
    public void A_slot_keeps_to_the_limits_of_its_channel_and_sends_all_that_came()
    {
        var model = SlotModel.Shipped();
        var most = model.MostReadings(RowBytes);

        var below = Run(model, most * 0.9);
        var above = Run(model, most * 1.5);

        Assert.InRange(below.MostInASecond, 8, SnowflakeLimits.AppendsPerChannel);
        Assert.True(below.Waiting < most * 2, $"{below.Waiting} readings wait");
        Assert.InRange(above.MostInASecond, 9, SnowflakeLimits.AppendsPerChannel);
        Assert.InRange(above.Rows / 60.0, most * 0.85, most * 1.02);
        Assert.True(above.Waiting > most * 10, $"only {above.Waiting} readings wait");
        Assert.True(above.LargestBatch * RowBytes <= model.Batches.MaxBytes);
    }

    [Fact]
    public void Bytes_bound_a_slot_of_large_rows()
    {
        const double large = 20_000;
        var model = SlotModel.Shipped() with { EstimatedRowBytes = 20_000 };

        var slot = Run(model, 5_000, large);

        Assert.InRange(slot.Rows * large / 60, SnowflakeLimits.BytesPerChannel * 0.8, SnowflakeLimits.BytesPerChannel * 1.02);
    }

    [Fact]
    public void Every_reading_is_sent_or_waits()
    {
        var model = SlotModel.Shipped();
        foreach (var rate in new[] { 0.1, 7, 900, 40_000 })
        {
            var slot = Run(model, rate);
            var came = slot.Rows + slot.Waiting;
            Assert.InRange(came, rate * 60 - 5 * Math.Sqrt(rate * 60) - 2, rate * 61 + 5 * Math.Sqrt(rate * 60) + 2);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_calls()
    {
        var (first, again) = (Run(SlotModel.Shipped(), 3), Run(SlotModel.Shipped(), 3));

        Assert.Equal((first.Appends, first.Polls, first.Rows), (again.Appends, again.Polls, again.Rows));
    }

    static SlotSimulation Run(SlotModel model, double perSecond, double rowBytes = RowBytes)
    {
        var slot = new SlotSimulation(model, perSecond, rowBytes, (commitDelay, commitDelay), new Random(7));
        slot.Run(TimeSpan.FromSeconds(60));
        return slot;
    }

    static SlotSimulation Long(SlotModel model, double perSecond)
    {
        var slot = new SlotSimulation(model, perSecond, RowBytes, (commitDelay, commitDelay), new Random(7));
        slot.Run(TimeSpan.FromDays(20));
        return slot;
    }
}
