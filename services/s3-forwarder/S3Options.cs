using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Where objects go and how readings become objects. Immutable.</summary>
sealed record S3Options
{
    /// <summary>Region that requests are signed for: AWS's, for example eu-central-1, or what another store calls its own.</summary>
    public required string Region { get; init; }

    public required string Bucket { get; init; }

    /// <summary>What the keys of valid readings start with; ends with a slash. The bucket's notification watches it.</summary>
    public required string Prefix { get; init; }

    /// <summary>
    /// What the keys of quarantined readings start with; ends with a slash; never below <see cref="Prefix"/>, so that nothing loads them.
    /// </summary>
    public required string QuarantinePrefix { get; init; }

    /// <summary>Whose keys sign the requests.</summary>
    public AwsCredentials Credentials { get; init; } = new();

    /// <summary>Null: Amazon S3. Otherwise a server that speaks its protocol, addressed by path.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>
    /// Objects a batch's valid readings of one kind and date are split into, so that the loader reads them in parallel. 1 to 100.
    /// </summary>
    public int Files { get; init; } = 4;

    /// <summary>What the bucket demands of each object.</summary>
    public ObjectAttributes Attributes { get; init; } = new();

    /// <summary>The checksum that each PUT carries.</summary>
    public UploadChecksum Checksum { get; init; }

    /// <summary>Which dates get a folder of their own.</summary>
    public PartitionLimits Partitions { get; init; } = PartitionLimits.Default;

    public BatchLimits Limits { get; init; } = new(20_000, 8 << 20, TimeSpan.FromSeconds(20));

    public ObjectFormat Format { get; init; }

    public ObjectCompression Compression { get; init; }

    /// <summary>The zone whose calendar the dates in the keys follow.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    public InvalidReadings Validation { get; init; }

    /// <summary>The server that requests go to, for people and for <c>check</c>.</summary>
    public Uri Address => Endpoint ?? new Uri($"https://s3.{Region}.amazonaws.com{(Region.StartsWith("cn-", StringComparison.Ordinal) ? ".cn" : "")}");
}
