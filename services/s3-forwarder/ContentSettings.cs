namespace ThermalStreaming.S3Forwarder;

/// <summary>The settings that decide what is in the objects of a plan, beside the readings themselves.</summary>
/// <param name="Format">How rows are written.</param>
/// <param name="Compression">How objects are compressed.</param>
/// <param name="TimeZone">Whose calendar the dates follow.</param>
/// <param name="Validation">Where invalid readings go.</param>
/// <param name="Rules">Identity of the rules that say which are invalid; <see cref="PlannedRules"/> keeps the rules themselves.</param>
/// <param name="Template">Of the folders; null: a folder a day.</param>
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

    /// <summary>End of the keys of objects that are compressed so.</summary>
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
