using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What Snowflake has no endpoint for: read the tables back, switch faults on, start over.</summary>
sealed class EmulatorApi(StreamingTables tables, PublicKeys keys, Faults faults)
{
    /// <summary>Answers a path below /emulator, and / itself.</summary>
    public async Task Handle(HttpContext context, string[] path)
    {
        switch (context.Request.Method, path)
        {
            case ("GET" or "HEAD", [""]):
                await Reply.Text(context, 200, Describe(context));
                break;
            case ("GET", ["emulator", "tables"]):
                await Tables(context);
                break;
            case ("GET", ["emulator", "tables", var name, "rows"]):
                await Rows(context, name);
                break;
            case ("GET", ["emulator", "tables", var name, "errors"]):
                await Errors(context, name);
                break;
            case ("POST", ["emulator", "reset"]):
                foreach (var store in tables.All)
                    store.Reset();
                faults.Clear(null);
                await Reply.Text(context, 200, "{}", "application/json");
                break;
            case ("GET", ["emulator", "faults"]):
                await Reply.Json(context, 200, json => WriteFaults(json, faults.List()));
                break;
            case ("POST", ["emulator", "faults"]):
                await AddFault(context);
                break;
            case ("DELETE", ["emulator", "faults"]):
                faults.Clear(null);
                await Reply.Json(context, 200, json => WriteFaults(json, faults.List()));
                break;
            case ("DELETE", ["emulator", "faults", var text]) when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id):
                if (faults.Clear(id) > 0)
                    await Reply.Json(context, 200, json => WriteFaults(json, faults.List()));
                else
                    await Reply.Error(context, 404, "NO_SUCH_FAULT", $"There is no fault {id}; it may have been used up.");
                break;
            default:
                await Reply.Error(context, 404, "ERR_NOT_FOUND", $"There is no {context.Request.Method} {context.Request.Path} here; GET / lists what there is.");
                break;
        }
    }

    string Describe(HttpContext context)
    {
        var here = $"{context.Request.Scheme}://{context.Request.Host}";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            This is a local stand-in for Snowflake's Snowpipe Streaming v2 endpoint. Nothing leaves this machine.
            A client streams to it with SNOWFLAKE_URL={here}

            {keys.Describe()}

            Tables


            """);
        foreach (var store in tables.All)
        {
            var (rows, errors) = store.Count();
            var buffered = store.Channels().Sum(c => c.UncommittedRows);
            text.Append(CultureInfo.InvariantCulture, $"  {store.Table.FullName}: {rows} rows, {errors} rejected, {buffered} not committed yet, {store.Channels().Count} channels\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"""

            Pipes

              {string.Join("\n  ", tables.Catalog.Pipes.Where(p => !p.IsDefault).Select(p => $"{p.Database}.{p.Schema}.{p.Name} -> {p.Table.Name}"))}

            Look

              curl '{here}/emulator/tables'                                    tables, channels, committed offset tokens (JSON)
              curl '{here}/emulator/tables/NAME/rows?after=0&limit=10'         rows as columns (NDJSON); after = row number; raw=1 = as sent
              curl '{here}/emulator/tables/NAME/errors'                        rejected rows (NDJSON)
              curl -X POST '{here}/emulator/reset'                             forget all rows, channels and faults

            Break

              curl -X POST '{here}/emulator/faults?kind=status&endpoint=append&status=503&times=3'
              curl -X POST '{here}/emulator/faults?kind=lost_reply&endpoint=append&channel=TH*'
              curl '{here}/emulator/faults'        curl -X DELETE '{here}/emulator/faults'
              kinds: {string.Join(", ", Faults.Kinds)}
              endpoints: {string.Join(", ", Faults.Endpoints)}; also channel, times, seconds, skip, code, message, body, retry_after, delay, skew, host

            """);
        return text.ToString();
    }

    async Task Tables(HttpContext context) => await Reply.Json(context, 200, json =>
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

    /// <summary>A table by its name or DATABASE.SCHEMA.NAME, spelt exactly or else in any case; answers 404 itself if there is none.</summary>
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

    async Task Rows(HttpContext context, string name)
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

    async Task Errors(HttpContext context, string name)
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

    async Task AddFault(HttpContext context)
    {
        Dictionary<string, string> values = [];
        foreach (var (key, value) in context.Request.Query)
            values[key] = value.ToString();
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            if (buffer.Length > 0)
            {
                using var body = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
                if (body.RootElement.ValueKind != JsonValueKind.Object)
                    throw new JsonException("it must be an object");
                foreach (var property in body.RootElement.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null))
                    values[property.Name] = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
            }
        }
        catch (Exception e) when (StreamingApi.IsBadJson(e))
        {
            await Reply.Error(context, 400, "BAD_FAULT", $"The body is not a JSON object: {e.Message}");
            return;
        }
        if (faults.Parse(values, out var problem) is not { } fault)
        {
            await Reply.Error(context, 400, "BAD_FAULT", problem!);
            return;
        }
        if (fault.Kind == "invalidate")
        {
            // Done at once: what a client must notice by itself is that an idle channel is not good any more.
            var hit = tables.All.Sum(s => s.Invalidate(
                name => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(fault.Channel, name), fault.Code ?? "ERR_CHANNEL_MUST_BE_REOPENED"));
            await Reply.Json(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteNumber("invalidated", hit);
                json.WriteEndObject();
            });
            return;
        }
        faults.Add(fault);
        await Reply.Json(context, 200, json => WriteFault(json, fault));
    }

    static void WriteFaults(Utf8JsonWriter json, IReadOnlyList<Fault> list)
    {
        json.WriteStartArray();
        foreach (var fault in list)
            WriteFault(json, fault);
        json.WriteEndArray();
    }

    static void WriteFault(Utf8JsonWriter json, Fault fault)
    {
        json.WriteStartObject();
        json.WriteNumber("id", fault.Id);
        json.WriteString("kind", fault.Kind);
        json.WriteString("endpoint", fault.Endpoint);
        json.WriteString("channel", fault.Channel);
        if (fault.Kind == "status")
            json.WriteNumber("status", fault.Status);
        if (fault.Code is not null)
            json.WriteString("code", fault.Code);
        if (fault.Host is not null)
            json.WriteString("host", fault.Host);
        if (fault.Span != TimeSpan.Zero)
            json.WriteNumber("span_seconds", fault.Span.TotalSeconds);
        if (fault.Skip > 0)
            json.WriteNumber("skip", fault.Skip);
        if (fault.Times is { } times)
            json.WriteNumber("times", times);
        if (fault.Until is { } until)
            json.WriteString("until", until);
        json.WriteEndObject();
    }

    /// <summary>An NDJSON answer of unknown length, written in blocks so that a whole table never sits in memory.</summary>
    sealed class LineStream : IDisposable
    {
        const int Block = 256 * 1024;
        readonly HttpContext context;

        public LineStream(HttpContext context)
        {
            this.context = context;
            // Rows are decoded by callbacks over spans, which cannot be awaited in; only read-back pays with a blocked thread.
            context.Features.Get<IHttpBodyControlFeature>()!.AllowSynchronousIO = true;
            context.Response.ContentType = "application/x-ndjson";
        }

        public ArrayBufferWriter<byte> Buffer { get; } = new(Block + 64 * 1024);

        public void EndLine()
        {
            Buffer.Write("\n"u8);
            if (Buffer.WrittenCount >= Block)
                Flush();
        }

        public void Flush()
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            context.Response.Body.Write(Buffer.WrittenSpan);
            Buffer.ResetWrittenCount();
        }

        public void Dispose() => Buffer.Clear();
    }
}
