using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Host discovery, token exchange and the channel endpoints of Snowpipe Streaming v2.</summary>
sealed partial class StreamingApi(
    EmulatorSettings settings, StreamingTables tables, Authenticator authenticator, Faults faults, TimeProvider clock,
    ILogger<StreamingApi> logger)
{
    /// <summary>Most bytes of a body of rows on the wire.</summary>
    public const int MaxBody = 4 * 1024 * 1024;

    const int MaxChannelsPerPipe = 2000;
    const string InvalidPipeStatus = "ERR_PIPE_IN_INVALID_STATE";

    // A pipe's mappers with their buffers, for the next request of the same pipe.
    readonly ConcurrentDictionary<Pipe, ConcurrentBag<RowMapper>> mappers = new();
    readonly ConcurrentDictionary<(Pipe Pipe, string Channel), ChannelRate> rates = new();

    // ── Routing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>Answers a path below /v2/streaming or /oauth; the segments are decoded.</summary>
    public async Task Handle(HttpContext context, string[] path)
    {
        switch (path)
        {
            case ["oauth", "token"]:
                if (await Allowed(context, "POST"))
                    await Token(context);
                break;
            case ["v2", "streaming", "hostname"]:
                if (await Allowed(context, "GET"))
                    await Hostname(context);
                break;
            case ["v2", "streaming", "databases", var db, "schemas", var schema, "pipes", var pipe]
                when pipe.EndsWith(":bulk-channel-status", StringComparison.Ordinal):
                if (await Allowed(context, "POST"))
                    await BulkStatus(context, new PipePath(db, schema, pipe[..^":bulk-channel-status".Length]));
                break;
            case ["v2", "streaming", "databases", var db, "schemas", var schema, "pipes", var pipe, "channels", var channel]:
                if (await Allowed(context, "PUT", "DELETE"))
                {
                    if (HttpMethods.IsPut(context.Request.Method))
                        await Open(context, new PipePath(db, schema, pipe), channel);
                    else
                        await Drop(context, new PipePath(db, schema, pipe), channel);
                }
                break;
            case ["v2", "streaming", "data", "databases", var db, "schemas", var schema, "pipes", var pipe, "channels", var channel, "rows"]:
                if (await Allowed(context, "POST"))
                    await Append(context, new PipePath(db, schema, pipe), channel);
                break;
            case ["v2", "streaming", "data", "databases", var db, "schemas", var schema, "tables", var table, "rows"]:
                if (await Allowed(context, "POST"))
                    await Append(context, new PipePath(db, schema, table, IsTable: true), TableStore.ElasticChannel);
                break;
            default:
                await Reply.Error(context, 404, "ERR_NOT_FOUND", $"There is no {context.Request.Path} here.");
                break;
        }
    }

    /// <param name="Database">As in the URL.</param>
    /// <param name="Schema">As in the URL.</param>
    /// <param name="Name">A pipe, or a table whose default pipe is meant.</param>
    /// <param name="IsTable">Which of the two.</param>
    readonly record struct PipePath(string Database, string Schema, string Name, bool IsTable = false);

    static async Task<bool> Allowed(HttpContext context, params string[] methods)
    {
        if (methods.Contains(context.Request.Method))
            return true;
        context.Response.Headers.Allow = string.Join(", ", methods);
        await Reply.Error(context, 405, "ERR_METHOD_NOT_ALLOWED", $"{context.Request.Method} is not allowed here; {string.Join(" and ", methods)} is.");
        return false;
    }

    /// <summary>Does what the faults for this call say that comes before the call itself.</summary>
    /// <returns>False if the call has been answered or cut.</returns>
    async Task<bool> Proceed(HttpContext context, FaultPlan plan)
    {
        if (plan.Delay > TimeSpan.Zero)
            await Task.Delay(plan.Delay, clock, context.RequestAborted);
        if (plan.AbortBefore)
        {
            context.Abort();
            return false;
        }
        if (plan.Refuse is not { } fault)
            return true;
        if (fault.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = wait;
        var (contentType, body) = Faults.Answer(fault);
        await Reply.Text(context, fault.Status, body, contentType);
        return false;
    }

    // ── Who is asking ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>Checks Accept and Authorization of a /v2/streaming call.</summary>
    /// <returns>The caller, or null if the call has been answered.</returns>
    async Task<Identity?> Authenticate(HttpContext context)
    {
        var accept = context.Request.Headers.Accept;
        if (accept.Count == 0 || !accept.Any(a => a is not null && AcceptsJson(a)))
        {
            await Reply.Error(context, 406, "391902",
                $"Unsupported Accept header {(accept.Count == 0 ? "null" : accept.ToString())} is specified.");
            return null;
        }
        var identity = authenticator.Authenticate(Bearer(context));
        if (identity.User is not null)
            return identity;
        await Unauthorized(context, identity);
        return null;
    }

    static bool AcceptsJson(string accept) => accept
        .Split(',', StringSplitOptions.TrimEntries)
        .Select(range => range.Split(';')[0].Trim())
        .Any(type => type is "*/*" or "application/*" or "*" || type.Equals("application/json", StringComparison.OrdinalIgnoreCase));

    static string? Bearer(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
    }

    Task Unauthorized(HttpContext context, Identity identity)
    {
        if (identity.Failure is { } reason)
            LogRefused(context.Request.Method, context.Request.Path, reason.Code, reason.Name, reason.Advice);
        return Reply.Json(context, 401, json =>
        {
            json.WriteStartObject();
            json.WriteNull("data");
            json.WriteString("code", identity.ErrorCode);
            json.WriteString("message", identity.ErrorMessage);
            json.WriteBoolean("success", false);
            json.WriteNull("headers");
            if (identity.Failure is { } failure)
            {
                // What SYSTEM$GET_LOGIN_FAILURE_DETAILS tells an administrator for the id in the message.
                json.WriteStartObject("login_failure_details");
                json.WriteString("errorCode", failure.Code);
                json.WriteString("errorName", failure.Name);
                json.WriteString("advice", failure.Advice);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    // ── Control host ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async Task Hostname(HttpContext context)
    {
        var plan = faults.Take("hostname", []);
        if (!await Proceed(context, plan) || await Authenticate(context) is null)
            return;
        var host = plan.Host ?? settings.IngestHost ?? context.Request.Host.Host;
        if (plan.LoseReply)
            context.Abort();
        else if (settings.HostnameFormat == AnswerFormat.Json)
            await Reply.Json(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteString("hostname", host);
                json.WriteEndObject();
            });
        else
            await Reply.Text(context, 200, host, "text/plain");
    }

    async Task Token(HttpContext context)
    {
        var plan = faults.Take("token", []);
        if (!await Proceed(context, plan))
            return;
        if (!context.Request.HasFormContentType)
        {
            await OAuthError(context, "invalid_request", "The body must be application/x-www-form-urlencoded.");
            return;
        }
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException e)
        {
            await OAuthError(context, "invalid_request", e.Message);
            return;
        }
        if (form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer")
        {
            await OAuthError(context, "unsupported_grant_type", "grant_type must be urn:ietf:params:oauth:grant-type:jwt-bearer.");
            return;
        }
        var assertion = form["assertion"].ToString();
        var identity = authenticator.Authenticate(Bearer(context) ?? (assertion.Length > 0 ? assertion : null));
        if (identity.User is null)
        {
            await Unauthorized(context, identity);
            return;
        }
        var scope = form["scope"].ToString();
        var token = authenticator.IssueScoped(identity, scope.Length > 0 ? scope : null);
        if (plan.LoseReply)
            context.Abort();
        else if (settings.TokenFormat == AnswerFormat.Json)
            await Reply.Json(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteString("token", token);
                json.WriteEndObject();
            });
        else
            await Reply.Text(context, 200, token, "text/plain");
    }

    static Task OAuthError(HttpContext context, string error, string message) => Reply.Json(context, 400, json =>
    {
        json.WriteStartObject();
        json.WriteNull("data");
        json.WriteString("error", error);
        json.WriteString("message", message);
        json.WriteBoolean("success", false);
        json.WriteEndObject();
    });

    // ── Channels ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>Finds the pipe of a path for a caller.</summary>
    /// <param name="context">The call.</param>
    /// <param name="caller">Who is asking.</param>
    /// <param name="path">What the URL names.</param>
    /// <param name="create">The call brings a default pipe into being.</param>
    /// <returns>Null if the call has been answered.</returns>
    async Task<Pipe?> Find(HttpContext context, Identity caller, PipePath path, bool create)
    {
        var catalog = tables.Catalog;
        var database = caller.Role == "PUBLIC" ? null : Catalog.Resolve(path.Database, catalog.Databases);
        if (database is null)
        {
            await Reply.Error(context, 404, "ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Database {path.Database} does not exist or is not authorized for role {caller.Role ?? "(default)"}.");
            return null;
        }
        var schema = Catalog.Resolve(path.Schema, catalog.Schemas.Where(s => s.Database == database).Select(s => s.Schema));
        if (schema is null)
        {
            await Reply.Error(context, 404, "ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Schema {path.Schema} does not exist in {database} or is not authorized.");
            return null;
        }
        var here = catalog.Pipes.Where(p => p.Database == database && p.Schema == schema);
        if (path.IsTable)
        {
            var table = Catalog.Resolve(path.Name, here.Where(p => p.IsDefault).Select(p => p.Table.Name));
            if (table is not null)
                return here.First(p => p.IsDefault && p.Table.Name == table);
            await Reply.Missing(context, "ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED", $"Table {path.Name} does not exist in {database}.{schema} or is not authorized.");
            return null;
        }
        var name = Catalog.Resolve(path.Name, here.Select(p => p.Name));
        var pipe = name is null ? null : here.First(p => p.Name == name);
        if (pipe is not null && (!pipe.IsDefault || create || tables.Of(pipe.Table).WasStreamed(pipe.Name)))
            return pipe;
        await Reply.Missing(context, "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED", $"Pipe {path.Name} does not exist in {database}.{schema} or is not authorized.");
        return null;
    }

    async Task Open(HttpContext context, PipePath path, string channel)
    {
        var plan = faults.Take("open", [channel]);
        if (!await Proceed(context, plan) || await Authenticate(context) is not { } caller)
            return;
        if (await ReadOptions(context) is not { } options || await Find(context, caller, path, create: true) is not { } pipe)
            return;
        if (await IsReserved(context, channel))
            return;
        var status = tables.Of(pipe.Table).Open(pipe.Name, channel, options.OffsetToken, options.OffsetToken is not null,
            options.FailOnUncommittedRows, settings.Limits ? MaxChannelsPerPipe : int.MaxValue, out var problem);
        if (status is null)
        {
            if (problem == OpenProblem.UncommittedRows)
                await UncommittedRows(context, channel);
            else
                await Reply.Error(context, 400, "ERR_TOO_MANY_CHANNELS", $"Pipe {pipe.Name} has {MaxChannelsPerPipe} channels, which is the most; drop some.");
            return;
        }
        tables.Wake();
        if (plan.LoseReply)
        {
            context.Abort();
            return;
        }
        if (plan.InvalidPipe)
            status = status with { StatusCode = InvalidPipeStatus };
        SetSession(context, pipe, channel);
        await Reply.Json(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteString("next_continuation_token", status.ContinuationToken);
            json.WritePropertyName("channel_status");
            WriteStatus(json, pipe, status, bulk: false);
            json.WriteEndObject();
        });
    }

    async Task Drop(HttpContext context, PipePath path, string channel)
    {
        var plan = faults.Take("drop", [channel]);
        if (!await Proceed(context, plan) || await Authenticate(context) is not { } caller)
            return;
        if (await ReadOptions(context) is not { } options || await Find(context, caller, path, create: false) is not { } pipe)
            return;
        if (await IsReserved(context, channel))
            return;
        var outcome = tables.Of(pipe.Table).Drop(pipe.Name, channel, options.FailOnUncommittedRows, out var uncommitted);
        if (uncommitted)
            await UncommittedRows(context, channel);
        else if (outcome == AppendOutcome.NoChannel)
            await Reply.Error(context, 404, "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED", "");
        else if (plan.LoseReply)
            context.Abort();
        else
            await Reply.Text(context, 200, "{}", "application/json");
    }

    /// <summary>Nobody opens or drops the elastic channel: what it has answered with 200 is durable.</summary>
    static async Task<bool> IsReserved(HttpContext context, string channel)
    {
        if (channel.Length > 0 && !channel.Equals(TableStore.ElasticChannel, StringComparison.OrdinalIgnoreCase))
            return false;
        await Reply.Error(context, 400, "ERR_CHANNEL_NAME_IS_RESERVED", $"'{channel}' cannot be the name of a channel.");
        return true;
    }

    static Task UncommittedRows(HttpContext context, string channel) => Reply.Error(context, 409, "ERR_CHANNEL_HAS_UNCOMMITTED_DATA",
        $"Channel {channel} has rows that are not committed yet. Try again, or open it without fail_on_uncommitted_rows to drop them.");

    sealed record ChannelOptions(string? OffsetToken, bool FailOnUncommittedRows);

    /// <summary>The optional JSON body of open and drop.</summary>
    static async Task<ChannelOptions?> ReadOptions(HttpContext context)
    {
        try
        {
            using var body = await ReadJson(context);
            if (body is null)
                return new ChannelOptions(null, false);
            var root = body.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new JsonException("it must be an object");
            string? token = null;
            if (root.TryGetProperty("offset_token", out var offset) && offset.ValueKind != JsonValueKind.Null)
                token = offset.ValueKind == JsonValueKind.String ? offset.GetString() : throw new JsonException("offset_token must be a string");
            var fail = root.TryGetProperty("fail_on_uncommitted_rows", out var flag) && flag.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False or JsonValueKind.Null => false,
                _ => throw new JsonException("fail_on_uncommitted_rows must be true or false"),
            };
            return new ChannelOptions(token, fail);
        }
        catch (Exception e) when (IsBadJson(e))
        {
            await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", $"The body is not the JSON this endpoint takes: {e.Message}");
            return null;
        }
    }

    /// <summary>Thrown by what reads JSON. The second is how it says that a text holds half of a surrogate pair.</summary>
    public static bool IsBadJson(Exception e) => e is JsonException or InvalidOperationException;

    /// <summary>The body as JSON; null if it is empty.</summary>
    static async Task<JsonDocument?> ReadJson(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        return buffer.Length == 0 ? null : JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    async Task BulkStatus(HttpContext context, PipePath path)
    {
        List<string> names = [];
        string? problem = null;
        try
        {
            using var body = await ReadJson(context);
            if (body is null || body.RootElement.ValueKind != JsonValueKind.Object
                || !body.RootElement.TryGetProperty("channel_names", out var list) || list.ValueKind != JsonValueKind.Array)
                problem = "channel_names is missing; it must be a list of channel names.";
            else
                names.AddRange(list.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String ? e.GetString()! : throw new JsonException("a channel name must be a string")));
        }
        catch (Exception e) when (IsBadJson(e))
        {
            problem = $"The body is not JSON: {e.Message}";
        }

        var plan = faults.Take("status", names);
        if (!await Proceed(context, plan) || await Authenticate(context) is not { } caller)
            return;
        if (await Find(context, caller, path, create: false) is not { } pipe)
            return;
        if (problem is not null)
        {
            await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", problem);
            return;
        }
        if (plan.LoseReply)
        {
            context.Abort();
            return;
        }
        var store = tables.Of(pipe.Table);
        await Reply.Json(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("channel_statuses");
            foreach (var name in names.Distinct())
            {
                // Unlike in URLs, names are compared exactly here, and a name that is unknown is simply left out.
                if (store.StatusOf(pipe.Name, name) is not { } status)
                    continue;
                json.WritePropertyName(name);
                WriteStatus(json, pipe, plan.InvalidPipe ? status with { StatusCode = InvalidPipeStatus } : status, bulk: true);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    static void WriteStatus(Utf8JsonWriter json, Pipe pipe, ChannelStatus status, bool bulk)
    {
        json.WriteStartObject();
        json.WriteString("database_name", pipe.Database);
        json.WriteString("schema_name", pipe.Schema);
        json.WriteString("pipe_name", pipe.Name);
        json.WriteString("channel_name", status.Name);
        json.WriteString("channel_status_code", status.StatusCode);
        json.WriteString("last_committed_offset_token", status.CommittedToken);
        json.WriteNumber("created_on_ms", status.CreatedMs);
        json.WriteNumber("rows_inserted", status.RowsInserted);
        json.WriteNumber("rows_parsed", status.RowsParsed);
        json.WriteNumber("rows_error_count", status.RowErrors);
        if (bulk)
            json.WriteNumber("rows_errors", status.RowErrors);
        json.WriteString("last_error_offset_upper_bound", status.LastErrorUpperBound);
        json.WriteString("last_error_message", status.LastErrorMessage);
        WriteOrNull(json, "last_error_timestamp", status.LastErrorMs);
        WriteOrNull(json, "snowflake_avg_processing_latency_ms", status.AverageLatencyMs);
        json.WriteNumber("status_code", 0);
        json.WriteString("message", "");
        json.WriteEndObject();
    }

    static void WriteOrNull(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    /// <summary>The routing hint that Snowflake gives each channel: Base64 of an address and port.</summary>
    static void SetSession(HttpContext context, Pipe pipe, string channel)
    {
        var hash = Crc32C.Of(Encoding.UTF8.GetBytes($"{pipe.Database}.{pipe.Schema}.{pipe.Name}.{channel.ToUpperInvariant()}"));
        var address = string.Create(CultureInfo.InvariantCulture, $"10.{hash >> 24}.{(hash >> 16) & 255}.{(hash >> 8) & 255}:{8000 + (hash & 255)}");
        context.Response.Headers["x-snowflake-session"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(address));
    }

    // ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    async Task Append(HttpContext context, PipePath path, string channel)
    {
        var plan = faults.Take("append", [channel]);
        if (!await Proceed(context, plan) || await Authenticate(context) is not { } caller)
            return;
        var elastic = channel.Equals(TableStore.ElasticChannel, StringComparison.OrdinalIgnoreCase);
        if (await Find(context, caller, path, create: path.IsTable) is not { } pipe)
            return;

        var query = context.Request.Query;
        int clientSequencer = 0, rowSequencer = 0;
        if (elastic)
        {
            var forbidden = Array.Find(["continuationToken", "offsetToken", "startOffsetToken", "endOffsetToken"], query.ContainsKey);
            if (forbidden is not null)
            {
                await Reply.Error(context, 400, "ERR_INVALID_PARAMETER", $"{forbidden} does not go with the elastic channel.");
                return;
            }
        }
        else if (!TryParseToken(query["continuationToken"].ToString(), out clientSequencer, out rowSequencer))
        {
            await Reply.Error(context, 400, "ERR_INVALID_CONTINUATION_TOKEN",
                query.ContainsKey("continuationToken")
                    ? "The continuation token is none that this service gave out. Please reopen the channel"
                    : "continuationToken is missing; use the one from the last answer for this channel.");
            return;
        }

        if (!TryEncoding(context, out var encoding))
        {
            await Reply.Error(context, 415, "ERR_UNSUPPORTED_CONTENT_ENCODING",
                $"Content-Encoding {context.Request.Headers.ContentEncoding} is not supported; gzip, zstd and none are.");
            return;
        }
        if (context.Request.ContentLength > MaxBody)
        {
            await TooLarge(context, context.Request.ContentLength.Value);
            return;
        }

        // The elastic channel has no rate of its own.
        var rate = settings.Limits && !elastic ? rates.GetOrAdd((pipe, channel.ToUpperInvariant()), _ => new ChannelRate(clock)) : null;
        if (rate?.TryRequest() == false)
        {
            await Reply.Error(context, 429, "ERR_TOO_MANY_REQUESTS", $"Channel {channel} has had more than {ChannelRate.RequestsPerSecond} requests in a second. Back off and send the same request again");
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)(context.Request.ContentLength ?? MaxBody) + 1);
        try
        {
            var length = await ReadBody(context, buffer);
            if (length > MaxBody)
            {
                await TooLarge(context, length);
                return;
            }
            await Append(context, pipe, channel, elastic, clientSequencer, rowSequencer, encoding, buffer.AsMemory(0, length), rate, plan);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    async Task Append(
        HttpContext context, Pipe pipe, string channel, bool elastic, int clientSequencer, int rowSequencer, RowEncoding encoding,
        ReadOnlyMemory<byte> body, ChannelRate? rate, FaultPlan plan)
    {
        var store = tables.Of(pipe.Table);
        var next = "";
        var outcome = elastic
            ? AppendOutcome.Applied
            : store.Check(pipe.Name, channel, clientSequencer, rowSequencer, out next);
        if (outcome == AppendOutcome.Applied)
        {
            RowVerdict verdict;
            try
            {
                verdict = plan.InvalidPipe ? RowVerdict.Nothing : Check(pipe, encoding, body);
            }
            catch (InvalidDataException e)
            {
                await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", $"The body cannot be read as {encoding} NDJSON: {e.Message}");
                return;
            }
            if (rate?.TryBytes(verdict.UncompressedLength) == false)
            {
                await Reply.Error(context, 429, "ERR_TOO_MANY_BYTES", $"Channel {channel} has had more than {ChannelRate.BytesPerSecond} bytes in a second. Back off and send the same request again");
                return;
            }
            if (plan.InvalidPipe)
                body = default;
            var query = context.Request.Query;
            var tokens = elastic || plan.InvalidPipe
                ? default
                : new OffsetTokens(query["startOffsetToken"], query.ContainsKey("endOffsetToken") ? query["endOffsetToken"] : query["offsetToken"]);
            if (elastic)
                store.AppendElastic(pipe.Name, verdict, body);
            else
                outcome = store.Append(pipe.Name, channel, clientSequencer, rowSequencer, tokens, verdict, body, out next);
            tables.Wake();
        }

        if (plan.LoseReply)
        {
            context.Abort();
            return;
        }
        switch (outcome)
        {
            case AppendOutcome.Applied when elastic:
                await Reply.Text(context, 200, """{"message":"OK"}""", "application/json");
                break;
            case AppendOutcome.Applied or AppendOutcome.Repeated:
                SetSession(context, pipe, channel);
                await Reply.Json(context, 200, json =>
                {
                    json.WriteStartObject();
                    json.WriteString("next_continuation_token", next);
                    json.WriteNumber("status_code", 0);
                    json.WriteString("message", "OK");
                    json.WriteEndObject();
                });
                break;
            case AppendOutcome.Stale:
                await Reply.Error(context, 400, "STALE_CONTINUATION_TOKEN_SEQUENCER",
                    "Channel sequencer in the continuation token is stale. Please reopen the channel");
                break;
            case AppendOutcome.AheadOfChannel:
                await Reply.Error(context, 400, "ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER",
                    "Row sequencer in the continuation token is ahead of the channel. Please reopen the channel");
                break;
            case AppendOutcome.MustReopen:
                await Reply.Error(context, 409, "ERR_CHANNEL_MUST_BE_REOPENED", "The channel has been invalidated. Please reopen the channel");
                break;
            default:
                // Seen live with an empty message.
                await Reply.Error(context, 400, "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED", "");
                break;
        }
    }

    RowVerdict Check(Pipe pipe, RowEncoding encoding, ReadOnlyMemory<byte> body)
    {
        var idle = mappers.GetOrAdd(pipe, _ => []);
        if (!idle.TryTake(out var mapper))
            mapper = new RowMapper(pipe);
        var accepted = 0;
        List<(int, string)> rejections = [];
        var length = RowBody.ForEachLine(body, encoding, (index, line) =>
        {
            if (mapper.TryCheck(line, out var error))
                accepted++;
            else
                rejections.Add((index, error!));
            return true;
        });
        idle.Add(mapper);
        return new RowVerdict(encoding, length, accepted, rejections);
    }

    static bool TryParseToken(string token, out int client, out int row)
    {
        client = row = 0;
        var mark = token.IndexOf('_', StringComparison.Ordinal);
        return mark > 0
            && int.TryParse(token.AsSpan(0, mark), NumberStyles.None, CultureInfo.InvariantCulture, out client)
            && int.TryParse(token.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out row);
    }

    static bool TryEncoding(HttpContext context, out RowEncoding encoding)
    {
        RowEncoding? found = context.Request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant() switch
        {
            "" or "identity" => RowEncoding.Identity,
            "gzip" or "x-gzip" => RowEncoding.Gzip,
            "zstd" => RowEncoding.Zstd,
            _ => null,
        };
        encoding = found ?? RowEncoding.Identity;
        return found is not null;
    }

    static Task TooLarge(HttpContext context, long length) => Reply.Error(context, 413, "ERR_REQUEST_BODY_TOO_LARGE",
        $"The body has {length} bytes or more on the wire; {MaxBody} is the most. Send fewer rows per request, or compress them");

    /// <summary>Reads the body until it ends or the buffer's limit is passed.</summary>
    static async Task<int> ReadBody(HttpContext context, byte[] buffer)
    {
        var most = Math.Min(buffer.Length, MaxBody + 1);
        var length = 0;
        while (length < most)
        {
            var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length, most - length), context.RequestAborted);
            if (read == 0)
                break;
            length += read;
        }
        return length;
    }

    [LoggerMessage(EventId = 720, Level = LogLevel.Warning, Message = "{Method} {Path} refused with 401: {Code} {Name}. {Advice}")]
    partial void LogRefused(string method, string path, string code, string name, string advice);
}

/// <summary>What one channel may send: two buckets that refill with time and hold one second's worth. Safe for concurrent use.</summary>
sealed class ChannelRate(TimeProvider clock)
{
    public const int RequestsPerSecond = 10;
    public const long BytesPerSecond = 20_000_000;

    readonly Lock gate = new();
    double requests = RequestsPerSecond;
    double bytes = BytesPerSecond;
    long last = clock.GetTimestamp();

    public bool TryRequest()
    {
        lock (gate)
        {
            Refill();
            if (requests < 1)
                return false;
            requests--;
            return true;
        }
    }

    /// <summary>A body may take the bucket below empty, so that one larger than a second's worth passes at all.</summary>
    public bool TryBytes(long count)
    {
        lock (gate)
        {
            Refill();
            if (bytes <= 0)
                return false;
            bytes -= count;
            return true;
        }
    }

    void Refill()
    {
        var now = clock.GetTimestamp();
        var seconds = clock.GetElapsedTime(last, now).TotalSeconds;
        last = now;
        requests = Math.Min(RequestsPerSecond, requests + seconds * RequestsPerSecond);
        bytes = Math.Min(BytesPerSecond, bytes + seconds * BytesPerSecond);
    }
}
