using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.S3Forwarder;

/// <summary>A file in Snowpipe's load history.</summary>
/// <param name="Address"><c>s3://bucket/key</c>.</param>
/// <param name="StageLocation">The stage, as Snowpipe names it.</param>
/// <param name="State">State of its load.</param>
/// <param name="At">When its last rows were inserted, or when it failed; null if the history does not say.</param>
/// <param name="RowsInserted">Rows in the table.</param>
/// <param name="RowsParsed">Rows read from the file.</param>
/// <param name="Errors">Rows that could not be loaded.</param>
/// <param name="FirstError">The first error in Snowflake's words, with its place; "" if there is none.</param>
sealed record LoadedFile(
    string Address,
    string StageLocation,
    LoadState State,
    DateTimeOffset? At,
    long RowsInserted,
    long RowsParsed,
    long Errors,
    string FirstError
)
{
    /// <summary>Reads an element of <c>files</c>.</summary>
    /// <returns>Null if it names no file.</returns>
    public static LoadedFile? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "path") is not { Length: > 0 } path)
            return null;
        var stage = Text(json, "stageLocation");
        var state = Text(json, "status").ToUpperInvariant() switch
        {
            "LOADED" => LoadState.Loaded,
            "PARTIALLY_LOADED" => LoadState.PartiallyLoaded,
            "LOAD_FAILED" => LoadState.Failed,
            _ => LoadState.InProgress,
        };
        // More rows of a large file may follow.
        if (json.TryGetProperty("complete", out var complete) && complete.ValueKind == JsonValueKind.False)
            state = LoadState.InProgress;
        return new LoadedFile(
            $"{stage.TrimEnd('/')}/{path.TrimStart('/')}",
            stage,
            state,
            DateTimeOffset.TryParse(Text(json, "lastInsertTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? at
                : null,
            Number(json, "rowsInserted") ?? 0,
            Number(json, "rowsParsed") ?? 0,
            Number(json, "errorsSeen") ?? 0,
            ErrorOf(json)
        );
    }

    static string ErrorOf(JsonElement json)
    {
        var error = Text(json, "firstError");
        if (error.Length == 0)
            error = Text(json, "systemError");
        if (error.Length == 0)
            return "";
        // A column's name has its own quotes and commas.
        var column = Text(json, "firstErrorColumnName");
        return SnowflakeError.OneLine(error)
            + (Number(json, "firstErrorLineNum") is { } line ? string.Create(CultureInfo.InvariantCulture, $", line {line}") : "")
            + (
                Number(json, "firstErrorCharacterPos") is { } character
                    ? string.Create(CultureInfo.InvariantCulture, $", character {character}")
                    : ""
            )
            + (column.Length > 0 ? $", column {SnowflakeError.OneLine(column)}" : "");
    }

    static string Text(JsonElement json, string name) => SnowflakeAnswer.Text(json, name);

    static long? Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : null;
}
