namespace ThermalStreaming.S3Forwarder;

/// <summary>What Snowpipe says of a file.</summary>
enum LoadState
{
    /// <summary>Not done with, or a word that is not known here.</summary>
    InProgress,

    /// <summary>All of its rows are in the table.</summary>
    Loaded,

    /// <summary>Some of its rows are.</summary>
    PartiallyLoaded,

    /// <summary>None is.</summary>
    Failed,
}
