using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Where objects go and how readings become objects. Immutable.</summary>
sealed record S3Options
{
    readonly bool? pathStyle;

    /// <summary>Region that requests are signed for: AWS's, for example eu-central-1, or another store's name for it.</summary>
    public required string Region { get; init; }

    public required string Bucket { get; init; }

    /// <summary>Start of the keys of valid readings; ends with a slash. The bucket's notification watches it.</summary>
    public required string Prefix { get; init; }

    /// <summary>
    /// Start of the keys of quarantined readings; ends with a slash; never below <see cref="Prefix"/>, so that nothing loads them.
    /// </summary>
    public required string QuarantinePrefix { get; init; }

    /// <summary>The keys that sign the requests.</summary>
    public AwsCredentials Credentials { get; init; } = new();

    /// <summary>Null: Amazon S3. Otherwise a compatible server.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>
    /// Whether the bucket is in the path of a request (true) or in the host name. Default: in the path if there is an
    /// <see cref="Endpoint"/>.
    /// </summary>
    public bool PathStyle
    {
        get => pathStyle ?? Endpoint is not null;
        init => pathStyle = value;
    }

    /// <summary>How often the SDK may send a request before the delivery loop decides. 1 to 10.</summary>
    public int MaxAttempts { get; init; } = 2;

    /// <summary>
    /// Number of objects for a batch's valid readings of one kind and date, so that the loader reads them in parallel. 1 to 100.
    /// </summary>
    public int Files { get; init; } = 4;

    /// <summary>Headers that the bucket demands on each object.</summary>
    public ObjectAttributes Attributes { get; init; } = new();

    /// <summary>The checksum that each PUT carries.</summary>
    public UploadChecksum Checksum { get; init; }

    /// <summary>Which dates get their own folder.</summary>
    public PartitionLimits Partitions { get; init; } = PartitionLimits.Default;

    public BatchLimits Limits { get; init; } = new(20_000, 8 << 20, TimeSpan.FromSeconds(20));

    public ObjectFormat Format { get; init; }

    public ObjectCompression Compression { get; init; }

    /// <summary>The zone whose calendar the dates in the keys follow.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>The folders below the prefixes.</summary>
    public PartitionTemplate Template { get; init; } = PartitionTemplate.Default;

    public InvalidReadings Validation { get; init; }

    /// <summary>The rules that decide which readings are invalid.</summary>
    public ValidationRules Rules { get; init; } = ValidationRules.Default;

    /// <summary>The server that requests go to, for people and for <c>check</c>.</summary>
    public Uri Address =>
        Endpoint ?? new Uri($"https://s3.{Region}.amazonaws.com{(Region.StartsWith("cn-", StringComparison.Ordinal) ? ".cn" : "")}");
}
