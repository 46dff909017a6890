using ThermalStreaming.Forwarding;

namespace ThermalStreaming.Bench;

/// <summary>What all cells of a scenario ask of Snowflake.</summary>
/// <param name="Scenario">The cells.</param>
/// <param name="Calls">A second, of all cells.</param>
/// <param name="Readings">Sent, a second, of all cells.</param>
/// <param name="MostAppendsOfChannel">Most appends of one channel within a second.</param>
/// <param name="LargestAppend">Bytes on the wire of the largest append.</param>
/// <param name="RowBytes">Of a row, before compression and on the wire.</param>
/// <param name="IsKeepingUp">Whether every lane sent what came.</param>
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
    public int Channels => Scenario.Cells * Scenario.Lanes;

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
                ("channels of a pipe", (double)SnowflakeLimits.ChannelsPerPipe / Scenario.Lanes),
                ("channels of a table's pipes", (double)SnowflakeLimits.ChannelsPerPipe * SnowflakeLimits.PipesPerTable / Scenario.Lanes),
                ("bytes a second of a table", SnowflakeLimits.BytesPerTable / (Bytes / Scenario.Cells)),
            }.OrderBy(limit => limit.Item2),
        ];

    /// <summary>Simulates every lane of every cell.</summary>
    /// <param name="scenario">The cells.</param>
    /// <param name="model">The rules of a lane.</param>
    /// <param name="rowBytes">Of a row, before compression and on the wire.</param>
    /// <param name="commitDelay">Bounds of the time from an append to its commit.</param>
    /// <param name="duration">Simulated time.</param>
    /// <param name="seed">Of arrivals and commits; the same seed gives the same load.</param>
    public static CellLoad Simulate(
        CellScenario scenario,
        LaneModel model,
        (double Plain, double Wire) rowBytes,
        (TimeSpan, TimeSpan) commitDelay,
        TimeSpan duration,
        int seed
    )
    {
        var (calls, rows, most, largest, isKeepingUp) = (default(Calls), 0L, 0, 0.0, true);
        for (var lane = 0; lane < scenario.Cells * scenario.Lanes; lane++)
        {
            var simulated = new LaneSimulation(
                model,
                scenario.ReadingsPerSecondOfLane,
                rowBytes.Plain,
                commitDelay,
                new Random(seed * 1_000_003 + lane)
            );
            simulated.Run(duration);
            calls += simulated.PerSecond;
            rows += simulated.Rows;
            most = Math.Max(most, simulated.MostInASecond);
            largest = Math.Max(largest, simulated.LargestBatch * rowBytes.Wire);
            // What came within a linger and a round trip may wait; more than two seconds' readings may not.
            isKeepingUp &= simulated.Waiting <= 2 * scenario.ReadingsPerSecondOfLane + 10;
        }
        calls += new Calls(0, 0, scenario.Cells * LaneModel.TokensPerSecond);
        return new CellLoad(scenario, calls, rows / duration.TotalSeconds, most, largest, rowBytes, isKeepingUp);
    }
}
