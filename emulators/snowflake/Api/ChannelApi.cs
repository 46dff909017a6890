using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The channel endpoints: open, drop and status. Safe for concurrent use.</summary>
sealed class ChannelApi(EmulatorSettings settings, StreamingTables tables)
{
    const int MaxChannelsPerPipe = 2000;
    const string InvalidPipeStatus = "ERR_PIPE_IN_INVALID_STATE";

    sealed record StatusRequest(IReadOnlyCollection<string> Names);

    /// <summary>PUT: opens or reopens a channel.</summary>
    public async Task Open(HttpContext call)
    {
        var options = await JsonBody.ReadAsync(call, ChannelOptions.Read);
        var (pipe, channel) = (call.Pipe(), NameOf(call));
        var opened =
            tables.Of(pipe.Table).Open(pipe.Name, channel, options, settings.Limits ? MaxChannelsPerPipe : int.MaxValue, out var problem)
            ?? throw Refused(problem, pipe, channel);
        tables.Wake();
        Reply.Session(call, pipe, channel);
        await Reply.Json(
            call,
            200,
            new JsonObject { ["next_continuation_token"] = opened.Token.ToString(), ["channel_status"] = Describe(call, opened) }
        );
    }

    /// <summary>DELETE: drops a channel.</summary>
    public async Task Drop(HttpContext call)
    {
        var options = await JsonBody.ReadAsync(call, ChannelOptions.Read);
        var (pipe, channel) = (call.Pipe(), NameOf(call));
        var problem = tables.Of(pipe.Table).Drop(pipe.Name, channel, options.FailOnUncommittedRows);
        if (problem != ChannelProblem.None)
            throw Refused(problem, pipe, channel);
        await Reply.Json(call, 200, new JsonObject());
    }

    /// <summary>The name of a channel to open or drop. It is never the elastic channel, whose rows are durable once answered.</summary>
    static string NameOf(HttpContext call)
    {
        var channel = call.Name("channel");
        return TableStore.IsElastic(channel)
            ? throw new RefusedException(400, "ERR_CHANNEL_NAME_IS_RESERVED", $"'{channel}' cannot be the name of a channel.")
            : channel;
    }

    static RefusedException Refused(ChannelProblem problem, Pipe pipe, string channel) =>
        problem switch
        {
            ChannelProblem.UncommittedRows => new(
                409,
                "ERR_CHANNEL_HAS_UNCOMMITTED_DATA",
                $"Channel {channel} has rows that are not committed yet. Try again, or leave out fail_on_uncommitted_rows to drop them."
            ),
            ChannelProblem.TooManyChannels => new(
                400,
                "ERR_TOO_MANY_CHANNELS",
                $"Pipe {pipe.Name} has {MaxChannelsPerPipe} channels, which is the most. Drop some."
            ),
            _ => new(404, "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED", ""),
        };

    /// <summary>Reads the channels named in a status call, for faults and <see cref="BulkStatus"/>. None if the body is bad.</summary>
    public static async Task<IReadOnlyCollection<string>> ReadNames(HttpContext call)
    {
        try
        {
            var names = await JsonBody.ReadAsync(
                call,
                json =>
                    json.ValueKind == JsonValueKind.Object
                    && json.TryGetProperty("channel_names", out var list)
                    && list.ValueKind == JsonValueKind.Array
                        ? list.EnumerateArray().Select(name => name.GetString() ?? throw new JsonException()).Distinct().ToArray()
                        : throw new JsonException()
            );
            call.Features.Set(new StatusRequest(names));
            return names;
        }
        catch (RefusedException)
        {
            return [];
        }
    }

    /// <summary>POST: tells the status of the named channels. The elastic channel always exists.</summary>
    public Task BulkStatus(HttpContext call)
    {
        var names =
            call.Features.Get<StatusRequest>()?.Names
            ?? throw new RefusedException(
                400,
                "ERR_INVALID_REQUEST_BODY",
                "The body must be a JSON object with channel_names, a list of channel names."
            );
        var pipe = call.Pipe();
        var store = tables.Of(pipe.Table);
        if (names.Contains(TableStore.ElasticChannel))
            store.EnsureElastic(pipe.Name);
        var statuses = new JsonObject();
        foreach (var name in names)
        {
            // Unlike in URLs, names are compared exactly here, and an unknown name is simply left out.
            if (store.StatusOf(pipe.Name, name) is not { } channel)
                continue;
            var json = Describe(call, channel);
            // Documented under this name, seen live under the other.
            json["rows_errors"] = channel.RowErrors;
            statuses[name] = json;
        }
        return Reply.Json(call, 200, new JsonObject { ["channel_statuses"] = statuses });
    }

    static JsonObject Describe(HttpContext call, Channel channel) =>
        new()
        {
            ["database_name"] = call.Pipe().Database,
            ["schema_name"] = call.Pipe().Schema,
            ["pipe_name"] = call.Pipe().Name,
            ["channel_name"] = channel.Name,
            ["channel_status_code"] = call.Plan().InvalidPipe ? InvalidPipeStatus : channel.StatusCode,
            ["last_committed_offset_token"] = channel.CommittedToken,
            ["created_on_ms"] = channel.CreatedMs,
            ["rows_inserted"] = channel.RowsInserted,
            ["rows_parsed"] = channel.RowsParsed,
            ["rows_error_count"] = channel.RowErrors,
            ["last_error_offset_upper_bound"] = channel.LastErrorUpperBound,
            ["last_error_message"] = channel.LastErrorMessage,
            // Documented under the first name; Snowflake's own SDK reads the second.
            ["last_error_timestamp"] = channel.LastErrorMs,
            ["last_error_timestamp_ms"] = channel.LastErrorMs,
            ["snowflake_avg_processing_latency_ms"] = channel.AverageLatencyMs,
            ["status_code"] = 0,
            ["message"] = "",
        };
}
