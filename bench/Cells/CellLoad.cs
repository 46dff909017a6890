using ThermalStreaming.Forwarding;

namespace ThermalStreaming.Bench;

/// <summary>What all cells of a scenario ask of Snowflake.</summary>
/// <param name="Scenario">The cells.</param>
/// <param name="Calls">A second, of all cells.</param>
/// <param name="Readings">Sent, a second, of all cells.</param>
/// <param name="MostAppendsOfChannel">Most appends of one channel within a second.</param>
/// <param name="LargestAppend">Bytes on the wire of the largest append.</param>
/// <param name="RowBytes">Of a row, before compression and on the wire.</param>
/// <param name="IsKeepingUp">Whether every slot sent what came.</param>
sealed record CellLoad(
    CellScenario Scenario,
    Calls Calls,
    double Readings,
    int MostAppendsOfChannel,
    double LargestAppend,
    (double Plain, double Wire) RowBytes,
    bool IsKeepingUp
)
{
    public int Channels => Scenario.Cells * Scenario.Slots;

    /// <summary>Pipes that so many channels need.</summary>
    public int Pipes => (Channels + SnowflakeLimits.ChannelsPerPipe - 1) / SnowflakeLimits.ChannelsPerPipe;

    /// <summary>A second, before compression: what Snowflake limits and bills.</summary>
    public double Bytes => Readings * RowBytes.Plain;

    /// <summary>For loading, by the product's prices.</summary>
    public double CreditsPerDay => CostPrices.Default.Credits(CostRoad.Streaming, Bytes * TimeSpan.FromDays(1).TotalSeconds);

    public double DollarsPerDay =>
        CostPrices.Default.Dollars(CostRoad.Streaming, Bytes * TimeSpan.FromDays(1).TotalSeconds, requests: 0, messages: 0);

    /// <summary>The limits, and at how many such cells each is met, the lowest first.</summary>
    public IReadOnlyList<(string Limit, double Cells)> Limits =>
        [
            .. new (string, double)[]
            {
                ("channels of a pipe", (double)SnowflakeLimits.ChannelsPerPipe / Scenario.Slots),
                ("channels of a table's pipes", (double)SnowflakeLimits.ChannelsPerPipe * SnowflakeLimits.PipesPerTable / Scenario.Slots),
                ("bytes a second of a table", SnowflakeLimits.BytesPerTable / (Bytes / Scenario.Cells)),
            }.OrderBy(limit => limit.Item2),
        ];

    /// <summary>Simulates every slot of every cell.</summary>
    /// <param name="scenario">The cells.</param>
    /// <param name="model">The rules of a slot.</param>
    /// <param name="rowBytes">Of a row, before compression and on the wire.</param>
    /// <param name="commitDelay">Bounds of the time from an append to its commit.</param>
    /// <param name="duration">Simulated time.</param>
    /// <param name="seed">Of arrivals and commits; the same seed gives the same load.</param>
    public static CellLoad Simulate(
        CellScenario scenario,
        SlotModel model,
        (double Plain, double Wire) rowBytes,
        (TimeSpan, TimeSpan) commitDelay,
        TimeSpan duration,
        int seed
    )
    {
        var (calls, rows, most, largest, isKeepingUp) = (default(Calls), 0L, 0, 0.0, true);
        for (var slot = 0; slot < scenario.Cells * scenario.Slots; slot++)
        {
            var simulated = new SlotSimulation(
                model,
                scenario.ReadingsPerSecondOfSlot,
                rowBytes.Plain,
                commitDelay,
                new Random(seed * 1_000_003 + slot)
            );
            simulated.Run(duration);
            calls += simulated.PerSecond;
            rows += simulated.Rows;
            most = Math.Max(most, simulated.MostInASecond);
            largest = Math.Max(largest, simulated.LargestBatch * rowBytes.Wire);
            // What came within a linger and a round trip may wait; more than two seconds' readings may not.
            isKeepingUp &= simulated.Waiting <= 2 * scenario.ReadingsPerSecondOfSlot + 10;
        }
        calls += new Calls(0, 0, scenario.Cells * SlotModel.TokensPerSecond);
        return new CellLoad(scenario, calls, rows / duration.TotalSeconds, most, largest, rowBytes, isKeepingUp);
    }
}
