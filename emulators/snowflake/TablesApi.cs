using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the tables back. Safe for concurrent use.</summary>
sealed class TablesApi(StreamingTables tables, QueryApi queries)
{
    /// <summary>Tells of every table and its channels.</summary>
    public async Task Tables(HttpContext context) => await Reply.Json(context, 200, json =>
    {
        json.WriteStartArray();
        foreach (var store in tables.All)
        {
            var channels = store.Channels();
            var (rows, errors) = store.Count();
            json.WriteStartObject();
            json.WriteString("name", store.Table.Name);
            json.WriteString("database", store.Table.Database);
            json.WriteString("schema", store.Table.Schema);
            json.WriteNumber("rows", rows);
            json.WriteNumber("errors", errors);
            json.WriteNumber("uncommitted_rows", channels.Sum(c => c.UncommittedRows));
            json.WriteStartArray("channels");
            foreach (var channel in channels)
            {
                json.WriteStartObject();
                json.WriteString("name", channel.Name);
                json.WriteString("pipe", channel.Pipe);
                json.WriteString("channel_status_code", channel.StatusCode);
                json.WriteString("last_committed_offset_token", channel.CommittedToken);
                json.WriteNumber("rows_inserted", channel.RowsInserted);
                json.WriteNumber("rows_parsed", channel.RowsParsed);
                json.WriteNumber("rows_error_count", channel.RowErrors);
                json.WriteNumber("uncommitted_rows", channel.UncommittedRows);
                json.WriteString("next_continuation_token", channel.ContinuationToken);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <summary>Runs one query in Snowflake's SQL.</summary>
    public Task Query(HttpContext context) => queries.Query(context);

    /// <summary>
    /// A table by its name or DATABASE.SCHEMA.NAME, spelt exactly or else in any case; answers 404 itself if there is none.
    /// </summary>
    async Task<TableStore?> Find(HttpContext context, string name)
    {
        var store = new[] { StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase }.Select(comparison =>
            tables.All.FirstOrDefault(s => s.Table.FullName.Equals(name, comparison)) ?? tables.All.FirstOrDefault(s => s.Table.Name.Equals(name, comparison))).FirstOrDefault(s => s is not null);
        if (store is null)
            await Reply.Error(context, 404, "NO_SUCH_TABLE", $"There is no table {name}; these are: {string.Join(", ", tables.All.Select(s => s.Table.Name))}.");
        return store;
    }

    static bool TryRange(HttpContext context, out long after, out long limit)
    {
        after = 0;
        limit = long.MaxValue;
        return TryNumber(context.Request.Query["after"].ToString(), ref after) && TryNumber(context.Request.Query["limit"].ToString(), ref limit);

        static bool TryNumber(string text, ref long value) =>
            text.Length == 0 || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Hands over a table's rows.</summary>
    public async Task Rows(HttpContext context, string name)
    {
        if (await Find(context, name) is not { } store)
            return;
        if (!TryRange(context, out var after, out var limit))
        {
            await Reply.Error(context, 400, "BAD_RANGE", "after and limit must be numbers of rows.");
            return;
        }
        var raw = context.Request.Query["raw"].ToString() is "1" or "true";
        using var lines = new LineStream(context);
        using var json = new Utf8JsonWriter(lines.Buffer, new JsonWriterOptions { SkipValidation = true });
        RowMapper? mapper = null;
        Pipe? mapped = null;
        try
        {
            store.ReadRows(after, limit, (pipe, line) =>
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
            });
        }
        catch (RowDoesNotFitException e) when (!context.Response.HasStarted)
        {
            await Reply.Error(context, 409, "ROW_DOES_NOT_FIT", $"{e.Message} raw=1 shows rows as they were sent; POST /emulator/reset forgets them.");
            return;
        }
        lines.Flush();
    }

    /// <summary>Hands over a table's rejected rows.</summary>
    public async Task Errors(HttpContext context, string name)
    {
        if (await Find(context, name) is not { } store)
            return;
        if (!TryRange(context, out var after, out var limit))
        {
            await Reply.Error(context, 400, "BAD_RANGE", "after and limit must be numbers of rows.");
            return;
        }
        using var lines = new LineStream(context);
        using var json = new Utf8JsonWriter(lines.Buffer, new JsonWriterOptions { SkipValidation = true });
        store.ReadErrors(after, limit, (pipe, channel, tokens, atMs, error, row) =>
        {
            // The columns of Snowflake's ERROR_TABLE(…).
            json.Reset();
            json.WriteStartObject();
            json.WriteString("timestamp", DateTimeOffset.FromUnixTimeMilliseconds(atMs).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("error_code", error.StartsWith("Error parsing JSON", StringComparison.Ordinal) ? "100069" : error.StartsWith("NULL", StringComparison.Ordinal) ? "100072" : "100071");
            json.WriteStartObject("error_metadata");
            json.WriteString("service", "snowpipe_streaming");
            json.WriteString("error_message", error);
            json.WriteStartObject("details");
            json.WriteString("pipe_name", pipe.Name);
            json.WriteString("channel_name", channel);
            json.WriteString("offset_token_lower_bound", tokens.Start ?? tokens.End);
            json.WriteString("offset_token_upper_bound", tokens.End);
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
        });
        lines.Flush();
    }

    static bool IsJson(ReadOnlySpan<byte> row)
    {
        if (!System.Text.Unicode.Utf8.IsValid(row))
            return false;
        try
        {
            var reader = new Utf8JsonReader(row, RowMapper.Json);
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
