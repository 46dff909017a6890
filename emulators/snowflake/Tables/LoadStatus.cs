namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The state of a file, in the words of Snowflake's REST API.</summary>
enum LoadStatus
{
    /// <summary>All of its records are in the table. A file without records counts as loaded.</summary>
    Loaded,

    /// <summary>Some of its records are in the table.</summary>
    PartiallyLoaded,

    /// <summary>None of its records is in the table.</summary>
    LoadFailed,
}
