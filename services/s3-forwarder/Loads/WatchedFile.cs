namespace ThermalStreaming.S3Forwarder;

/// <summary>An uploaded object whose load is not known yet. Times are Snowflake's, as far as its clock is known.</summary>
/// <param name="Address"><c>s3://bucket/key</c>.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="PlannedAt">When its plan was made: the history cannot have it earlier.</param>
/// <param name="UploadedAt">When it was known to be in the bucket.</param>
sealed record WatchedFile(string Address, int Rows, DateTimeOffset PlannedAt, DateTimeOffset UploadedAt)
{
    /// <summary>Whether it was reported as missed.</summary>
    public bool IsMissed { get; init; }

    /// <summary>When Snowpipe was last asked to load it; null if it never was.</summary>
    public DateTimeOffset? RefreshedAt { get; init; }

    /// <summary>When Snowpipe last heard of it: from its upload, or from a person.</summary>
    public DateTimeOffset LastTold => RefreshedAt ?? UploadedAt;

    /// <summary>How long Snowpipe has had to load it; never negative.</summary>
    public TimeSpan Age(DateTimeOffset now) => now - LastTold is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;
}
