namespace ThermalStreaming.S3Forwarder;

/// <summary>How the rows of an object are written.</summary>
enum ObjectFormat
{
    /// <summary>One JSON object per line.</summary>
    NdJson,

    /// <summary>One JSON array; the file format needs STRIP_OUTER_ARRAY = TRUE.</summary>
    Array,
}
