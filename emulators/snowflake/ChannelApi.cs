using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The channel endpoints: open, drop and status. Safe for concurrent use.</summary>
sealed class ChannelApi(CallGate gate, EmulatorSettings settings, StreamingTables tables, Faults faults)
{
    const int MaxChannelsPerPipe = 2000;
    const string InvalidPipeStatus = "ERR_PIPE_IN_INVALID_STATE";

    /// <summary>PUT: opens or reopens a channel.</summary>
    public async Task Open(HttpContext context, PipePath path, string channel)
    {
        var plan = faults.Take("open", [channel]);
        if (!await gate.Proceed(context, plan) || await gate.Authenticate(context) is not { } caller)
            return;
        if (await ReadOptions(context) is not { } options || await gate.Find(context, caller, path, create: true) is not { } pipe)
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
        Reply.Session(context, pipe, channel);
        await Reply.Json(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteString("next_continuation_token", status.ContinuationToken);
            json.WritePropertyName("channel_status");
            WriteStatus(json, pipe, status, bulk: false);
            json.WriteEndObject();
        });
    }

    /// <summary>DELETE: drops a channel.</summary>
    public async Task Drop(HttpContext context, PipePath path, string channel)
    {
        var plan = faults.Take("drop", [channel]);
        if (!await gate.Proceed(context, plan) || await gate.Authenticate(context) is not { } caller)
            return;
        if (await ReadOptions(context) is not { } options || await gate.Find(context, caller, path, create: false) is not { } pipe)
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
            using var body = await CallGate.ReadJson(context);
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
        catch (Exception e) when (CallGate.IsBadJson(e))
        {
            await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", $"The body is not the JSON this endpoint takes: {e.Message}");
            return null;
        }
    }

    /// <summary>POST: tells the status of the channels that are named; the elastic channel always exists.</summary>
    public async Task BulkStatus(HttpContext context, PipePath path)
    {
        List<string> names = [];
        string? problem = null;
        try
        {
            using var body = await CallGate.ReadJson(context);
            if (body is null || body.RootElement.ValueKind != JsonValueKind.Object
                || !body.RootElement.TryGetProperty("channel_names", out var list) || list.ValueKind != JsonValueKind.Array)
                problem = "channel_names is missing; it must be a list of channel names.";
            else
                names.AddRange(list.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String ? e.GetString()! : throw new JsonException("a channel name must be a string")));
        }
        catch (Exception e) when (CallGate.IsBadJson(e))
        {
            problem = $"The body is not JSON: {e.Message}";
        }

        var plan = faults.Take("status", names);
        if (!await gate.Proceed(context, plan) || await gate.Authenticate(context) is not { } caller)
            return;
        if (await gate.Find(context, caller, path, create: false) is not { } pipe)
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
        if (names.Contains(TableStore.ElasticChannel))
            store.EnsureElastic(pipe.Name);
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
        // Documented by the one name; Snowflake's own SDK reads the other.
        WriteOrNull(json, "last_error_timestamp", status.LastErrorMs);
        WriteOrNull(json, "last_error_timestamp_ms", status.LastErrorMs);
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

}
