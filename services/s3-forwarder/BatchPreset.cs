namespace ThermalStreaming.S3Forwarder;

/// <summary>Sets of defaults for how batches become objects. Each setting can still be set by itself.</summary>
enum BatchPreset
{
    /// <summary>Fresh rows: four files a minute, loaded in parallel.</summary>
    Fresh,

    /// <summary>
    /// Snowflake's own advice ("Preparing your data files"): about one file a minute, larger if there is more data. One compressed file a
    /// minute, or earlier at 100 MB of JSON.
    /// </summary>
    LargeFiles,
}
