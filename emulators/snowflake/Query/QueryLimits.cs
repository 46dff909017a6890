namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Limits of one query.</summary>
static class QueryLimits
{
    /// <summary>Longest time of one statement.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(30);

    /// <summary>Most memory of DuckDB (MiB).</summary>
    public const int MemoryMiB = 96;

    /// <summary>Most rows of a result that are returned.</summary>
    public const int Rows = 10_000;

    /// <summary>Longest accepted SQL (characters).</summary>
    public const int SqlLength = 100_000;
}
