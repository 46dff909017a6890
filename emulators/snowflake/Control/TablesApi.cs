using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the tables back. Safe for concurrent use.</summary>
sealed class TablesApi(StreamingTables tables)
{
    /// <summary>GET: describes every table and its channels.</summary>
    public Task List(HttpContext call) => Reply.Json(call, 200, new JsonArray([.. tables.All.Select(Describe)]));

    static JsonObject Describe(TableStore store)
    {
        var channels = store.Channels();
        var (rows, errors) = store.Count();
        return new JsonObject
        {
            ["name"] = store.Table.Name,
            ["database"] = store.Table.Database,
            ["schema"] = store.Table.Schema,
            ["rows"] = rows,
            ["errors"] = errors,
            ["uncommitted_rows"] = channels.Sum(c => c.UncommittedRows),
            ["channels"] = new JsonArray([
                .. channels.Select(entry => new JsonObject
                {
                    ["name"] = entry.Channel.Name,
                    ["pipe"] = entry.Channel.Pipe,
                    ["channel_status_code"] = entry.Channel.StatusCode,
                    ["last_committed_offset_token"] = entry.Channel.CommittedToken,
                    ["rows_inserted"] = entry.Channel.RowsInserted,
                    ["rows_parsed"] = entry.Channel.RowsParsed,
                    ["rows_error_count"] = entry.Channel.RowErrors,
                    ["uncommitted_rows"] = entry.UncommittedRows,
                    ["next_continuation_token"] = entry.Channel.Token.ToString(),
                }),
            ]),
        };
    }

    /// <summary>The table named in the path, by its name or by DATABASE.SCHEMA.NAME, spelled exactly or otherwise in any case.</summary>
    TableStore Find(HttpContext call)
    {
        var name = call.Name("table");
        foreach (var comparison in new[] { StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase })
        {
            var store =
                tables.All.FirstOrDefault(s => s.Table.FullName.Equals(name, comparison))
                ?? tables.All.FirstOrDefault(s => s.Table.Name.Equals(name, comparison));
            if (store is not null)
                return store;
        }
        throw new RefusedException(
            404,
            "NO_SUCH_TABLE",
            $"There is no table {name}; the tables are: {string.Join(", ", tables.All.Select(s => s.Table.Name))}."
        );
    }

    static (long After, long Limit) Range(HttpContext call)
    {
        long Number(string key, long otherwise)
        {
            var text = call.Request.Query[key].ToString();
            return text.Length == 0 ? otherwise
                : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
                : throw new RefusedException(400, "BAD_RANGE", $"{key} is '{text}'; it must be a number of rows.");
        }

        return (Number("after", 0), Number("limit", long.MaxValue));
    }

    /// <summary>GET: the rows of a table.</summary>
    public Task Rows(HttpContext call)
    {
        var store = Find(call);
        var (after, limit) = Range(call);
        var raw = call.Request.Query["raw"].ToString() is "1" or "true";
        using var lines = new LineStream(call);
        using var json = new Utf8JsonWriter(lines.Buffer, new JsonWriterOptions { SkipValidation = true });
        RowMapper? mapper = null;
        Pipe? mapped = null;
        try
        {
            store.ReadRows(
                after,
                limit,
                (pipe, line) =>
                {
                    if (raw)
                    {
                        lines.Buffer.Write(line);
                    }
                    else
                    {
                        if (mapped != pipe)
                            (mapper, mapped) = (new RowMapper(pipe), pipe);
                        json.Reset();
                        mapper!.Write(line, json);
                        json.Flush();
                    }
                    lines.EndLine();
                }
            );
        }
        catch (RowDoesNotFitException e) when (!call.Response.HasStarted)
        {
            throw new RefusedException(
                409,
                "ROW_DOES_NOT_FIT",
                $"{e.Message} raw=1 shows rows as they were sent; POST /emulator/reset removes them."
            );
        }
        lines.Flush();
        return Task.CompletedTask;
    }

    /// <summary>GET: the rejected rows of a table.</summary>
    public Task Errors(HttpContext call)
    {
        var store = Find(call);
        var (after, limit) = Range(call);
        using var lines = new LineStream(call);
        using var json = new Utf8JsonWriter(lines.Buffer, new JsonWriterOptions { SkipValidation = true });
        store.ReadErrors(
            after,
            limit,
            (append, error, row) =>
            {
                // The columns of Snowflake's ERROR_TABLE(…).
                json.Reset();
                json.WriteStartObject();
                var time = DateTimeOffset.FromUnixTimeMilliseconds(append.AtMs);
                json.WriteString("timestamp", time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
                json.WriteString("error_code", CodeOf(error));
                json.WriteStartObject("error_metadata");
                json.WriteString("service", "snowpipe_streaming");
                json.WriteString("error_message", error);
                json.WriteStartObject("details");
                json.WriteString("pipe_name", append.Pipe);
                json.WriteString("channel_name", append.Channel);
                json.WriteString("offset_token_lower_bound", append.Tokens.Start ?? append.Tokens.End);
                json.WriteString("offset_token_upper_bound", append.Tokens.End);
                json.WriteBoolean("error_data_truncated", false);
                var isJson = IsJson(row);
                json.WriteString("error_data_content_type", isJson ? "json" : "json-invalid");
                json.WriteEndObject();
                json.WriteEndObject();
                json.WriteStartObject("error_data");
                json.WritePropertyName("$1");
                if (isJson)
                    json.WriteRawValue(row, skipInputValidation: true);
                else
                    json.WriteStringValue(Encoding.UTF8.GetString(row));
                json.WriteEndObject();
                json.WriteEndObject();
                json.Flush();
                lines.EndLine();
            }
        );
        lines.Flush();
        return Task.CompletedTask;
    }

    static string CodeOf(string error) =>
        error.StartsWith("Error parsing JSON", StringComparison.Ordinal) ? "100069"
        : error.StartsWith("NULL", StringComparison.Ordinal) ? "100072"
        : "100071";

    static bool IsJson(ReadOnlySpan<byte> row)
    {
        if (!System.Text.Unicode.Utf8.IsValid(row))
            return false;
        try
        {
            var reader = new Utf8JsonReader(row, RowMapper.Json);
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
