using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>An entry of a pipe's load history. Times are milliseconds since 1970.</summary>
sealed record FileLoad
{
    /// <summary>Its number; grows from load to load.</summary>
    public long Id { get; init; }

    /// <summary>DATABASE.SCHEMA.NAME of the pipe.</summary>
    public required string Pipe { get; init; }

    /// <summary>Path of the file below the stage.</summary>
    public required string Path { get; init; }

    /// <summary>The stage as s3://bucket/prefix.</summary>
    public required string StageLocation { get; init; }

    public required LoadStatus Status { get; init; }

    /// <summary>When the pipe heard of the file.</summary>
    public required long ReceivedMs { get; init; }

    /// <summary>When it was loaded, or when loading failed.</summary>
    public required long LoadedMs { get; init; }

    /// <summary>Bytes in the bucket; 0 if the file was not found.</summary>
    public long Size { get; init; }

    /// <summary>Bytes after decompression, which Snowflake bills.</summary>
    public long UncompressedSize { get; init; }

    public long RowsParsed { get; init; }

    public long RowsLoaded { get; init; }

    public long Errors { get; init; }

    /// <summary>This many errors skip the file.</summary>
    public long ErrorLimit { get; init; }

    public LoadError? FirstError { get; init; }

    /// <summary>The file's checksum; null if the file was not found. Such a file is loaded if it appears later.</summary>
    public string? ContentKey { get; init; }

    /// <summary>The columns that <see cref="Read"/> expects.</summary>
    public const string Columns = """
        id, pipe, path, stage_location, status, received_ms, loaded_ms, size, uncompressed_size, rows_parsed, rows_loaded, errors,
        error_limit, first_error, first_error_line, first_error_character, first_error_column, content_key
        """;

    public static FileLoad Read(SqliteDataReader row) =>
        new()
        {
            Id = row.GetInt64(0),
            Pipe = row.GetString(1),
            Path = row.GetString(2),
            StageLocation = row.GetString(3),
            Status = (LoadStatus)row.GetInt32(4),
            ReceivedMs = row.GetInt64(5),
            LoadedMs = row.GetInt64(6),
            Size = row.GetInt64(7),
            UncompressedSize = row.GetInt64(8),
            RowsParsed = row.GetInt64(9),
            RowsLoaded = row.GetInt64(10),
            Errors = row.GetInt64(11),
            ErrorLimit = row.GetInt64(12),
            FirstError = row.GetValue(13) is string error
                ? new LoadError(error, row.GetValue(14) as long?, row.GetValue(15) as long?, row.GetValue(16) as string)
                : null,
            ContentKey = row.GetValue(17) as string,
        };
}
