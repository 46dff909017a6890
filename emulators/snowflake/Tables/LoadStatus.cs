namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What became of a file, in the words of Snowflake's REST API.</summary>
enum LoadStatus
{
    /// <summary>All of its records are in the table. A file without records counts as loaded.</summary>
    Loaded,

    /// <summary>Some of its records are.</summary>
    PartiallyLoaded,

    /// <summary>None is.</summary>
    LoadFailed,
}
