namespace ThermalStreaming.Bench.Tests;

/// <summary>What many cells ask of Snowflake, by hand from its documented limits and prices.</summary>
public sealed class CellLoadTests
{
    static readonly (TimeSpan, TimeSpan) commitDelay = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));

    [Fact]
    public void Channels_of_a_pipe_are_the_first_limit_and_slots_share_them()
    {
        var one = Simulate(new CellScenario(20, 400, TimeSpan.FromSeconds(10), 1));
        var four = Simulate(new CellScenario(20, 400, TimeSpan.FromSeconds(10), 4));

        Assert.Equal(("channels of a pipe", 2_000.0), one.Limits[0]);
        Assert.Equal(("channels of a pipe", 500.0), four.Limits[0]);
        Assert.Equal(("channels of a table's pipes", 20_000.0), one.Limits[1]);
        Assert.Equal((20, 80, 1, 1), (one.Channels, four.Channels, one.Pipes, four.Pipes));
    }

    [Fact]
    public void A_second_pipe_is_needed_with_the_channel_after_the_2000th()
    {
        var load = Simulate(new CellScenario(1, 10, TimeSpan.FromSeconds(10), 1));

        Assert.Equal(1, (load with { Scenario = load.Scenario with { Cells = 2_000 } }).Pipes);
        Assert.Equal(2, (load with { Scenario = load.Scenario with { Cells = 2_001 } }).Pipes);
    }

    [Fact]
    public void Bytes_of_the_table_are_the_limit_where_each_cell_sends_much()
    {
        // 20 GB/s of 860 bytes are 23 million readings a second, or 1,163 cells of 20,000.
        var load = Simulate(new CellScenario(2, 200_000, TimeSpan.FromSeconds(10), 2));

        Assert.Contains(load.Limits, limit => limit.Limit == "bytes a second of a table" && limit.Cells is > 1_100 and < 1_230);
    }

    [Fact]
    public void Credits_and_dollars_follow_the_bytes()
    {
        var load = Simulate(new CellScenario(10, 1_000, TimeSpan.FromSeconds(10), 1));

        // 1,000 readings/s of 860 bytes: 74.3 GB a day at 0.0037 credits, 2 USD a credit.
        Assert.InRange(load.CreditsPerDay, 0.27, 0.28);
        Assert.Equal(2 * load.CreditsPerDay, load.DollarsPerDay, precision: 6);
        Assert.True(load.IsKeepingUp);
    }

    [Fact]
    public void A_slot_that_gets_more_than_its_channel_takes_does_not_keep_up()
    {
        var load = Simulate(new CellScenario(1, 300_000, TimeSpan.FromSeconds(10), 1));

        Assert.False(load.IsKeepingUp);
    }

    static CellLoad Simulate(CellScenario scenario) =>
        CellLoad.Simulate(scenario, SlotModel.Shipped(), (860, 50), commitDelay, TimeSpan.FromSeconds(60), seed: 1);
}
