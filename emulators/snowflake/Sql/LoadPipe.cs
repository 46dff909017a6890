using System.Text.RegularExpressions;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A pipe of classic Snowpipe: it loads the files of a stage into a table.</summary>
sealed class LoadPipe(string database, string schema, string name, Table table, ExternalStage stage)
{
    public string Database { get; } = database;
    public string Schema { get; } = schema;
    public string Name { get; } = name;
    public Table Table { get; } = table;
    public ExternalStage Stage { get; } = stage;

    /// <summary>Whether files are loaded when the bucket announces them.</summary>
    public bool AutoIngest { get; init; }

    /// <summary>A path below the stage, as in <c>FROM @stage/path</c>.</summary>
    public string Path { get; init; } = "";

    /// <summary>The source of each column in the COPY.</summary>
    public required IReadOnlyList<LoadSource> Sources { get; init; }

    public required FileFormat Format { get; init; }

    public ErrorPolicy OnError { get; init; } = ErrorPolicy.SkipFile;

    /// <summary>Matches the whole path after the stage's URL; null takes every file.</summary>
    public Regex? Pattern { get; init; }

    public string FullName => $"{Database}.{Schema}.{Name}";

    /// <summary>The stage's location in Snowflake's form.</summary>
    public string StageLocation => $"s3://{Stage.Bucket}/{Stage.Prefix}";

    /// <summary>Whether the pipe loads this object.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="key">The key.</param>
    public bool Takes(string bucket, string key) =>
        bucket == Stage.Bucket
        && key.StartsWith(Stage.Prefix + Path, StringComparison.Ordinal)
        && (Pattern is null || Pattern.IsMatch(PathOf(key)));

    /// <summary>The path of an object below the stage's URL, by which the load history knows it.</summary>
    public string PathOf(string key) => key[Stage.Prefix.Length..];
}
