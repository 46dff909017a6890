namespace ThermalStreaming.S3Forwarder;

/// <summary>Snowpipe's state of a file.</summary>
enum LoadState
{
    /// <summary>Still loading, or a word that is not known here.</summary>
    InProgress,

    /// <summary>All of its rows are in the table.</summary>
    Loaded,

    /// <summary>Some of its rows are in the table.</summary>
    PartiallyLoaded,

    /// <summary>None of its rows is in the table.</summary>
    Failed,
}
