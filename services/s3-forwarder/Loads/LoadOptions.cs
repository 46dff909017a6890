namespace ThermalStreaming.S3Forwarder;

/// <summary>Settings for the load history of classic Snowpipe. Immutable.</summary>
sealed record LoadOptions
{
    /// <summary>Null only if a problem of the settings says why.</summary>
    public required AccountIdentifier? Account { get; init; }

    /// <summary>LOGIN_NAME. Classic Snowpipe lets a user act only as the default role.</summary>
    public required string User { get; init; }

    public required Uri Url { get; init; }

    public required string KeyFile { get; init; }

    /// <summary>As it was at the start; null only if a problem says why.</summary>
    public required KeyPair? Key { get; init; }

    /// <summary>Secret.</summary>
    public string? Passphrase { get; init; }

    public required string Database { get; init; }

    public required string Schema { get; init; }

    public required string Pipe { get; init; }

    /// <summary>Location of the pipe's stage: <c>s3://bucket/prefix/</c>. Paths are relative to it.</summary>
    public required string StageUrl { get; init; }

    /// <summary>Time between two calls. Snowflake's own example is every 8 minutes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(8);

    /// <summary>A file that the history does not know this long after its upload is missed.</summary>
    public TimeSpan MissedAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Time limit of one call.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public string FullPipe => $"{Database}.{Schema}.{Pipe}";

    /// <summary>The names of this installation, for <see cref="Explanation.For"/>.</summary>
    public (string Placeholder, string Name)[] Names =>
        [("<db>", Database), ("<schema>", Schema), ("<pipe>", Pipe), ("<user>", User.ToUpperInvariant())];

    /// <summary>The key as its file has it now; null if it cannot be read.</summary>
    public KeyPair? ReadKey() => KeyPair.Load(KeyFile, Passphrase, out _);
}
