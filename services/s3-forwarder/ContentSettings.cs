namespace ThermalStreaming.S3Forwarder;

/// <summary>The settings that determine the content of a plan's objects, besides the readings.</summary>
/// <param name="Format">How rows are written.</param>
/// <param name="Compression">How objects are compressed.</param>
/// <param name="TimeZone">Zone of the calendar of the dates.</param>
/// <param name="Validation">Where invalid readings go.</param>
/// <param name="Rules">Identity of the rules for invalid readings; <see cref="PlannedRules"/> keeps the rules themselves.</param>
/// <param name="Template">Template of the folders; null: a folder per day.</param>
sealed record ContentSettings(
    ObjectFormat Format,
    ObjectCompression Compression,
    string TimeZone,
    InvalidReadings Validation,
    string Rules,
    PartitionTemplate? Template = null
)
{
    public PartitionTemplate Folders => Template ?? PartitionTemplate.Default;

    /// <summary>End of the objects' keys.</summary>
    public string Extension => ExtensionOf(Compression);

    /// <summary>End of the keys of objects with this compression.</summary>
    public static string ExtensionOf(ObjectCompression compression) =>
        compression switch
        {
            ObjectCompression.Gzip => "json.gz",
            ObjectCompression.Zstd => "json.zst",
            _ => "json",
        };

    /// <summary>Content type of the objects.</summary>
    public string ContentType =>
        this switch
        {
            { Compression: ObjectCompression.Zstd } => "application/zstd",
            { Compression: ObjectCompression.Gzip } => "application/gzip",
            { Format: ObjectFormat.NdJson } => "application/x-ndjson",
            _ => "application/json",
        };
}
