namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What one query may use.</summary>
static class QueryLimits
{
    /// <summary>Longest time of one statement.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(30);

    /// <summary>Most memory of DuckDB (MiB).</summary>
    public const int MemoryMiB = 96;

    /// <summary>Most rows of a result that are handed over.</summary>
    public const int Rows = 10_000;

    /// <summary>Longest SQL that is taken (characters).</summary>
    public const int SqlLength = 100_000;
}
