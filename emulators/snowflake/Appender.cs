using System.Collections.Concurrent;
using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// What an append with rows in its body and one with rows in uploaded files have in common: continuation token, limits, checking the
/// rows against the table, storing them, and the answer. Safe for concurrent use.
/// </summary>
sealed class Appender(CallGate gate, EmulatorSettings settings, StreamingTables tables, Faults faults, TimeProvider clock)
{
    // A name is remembered for its rate before anybody knows whether there is such a channel.
    const int MaxRates = 20_000;

    // Each is kept in memory until it is stored, and a small body may hold millions of lines.
    const int MaxRejections = 2_000_000;

    // A pipe's mappers with their buffers, for the next request of the same pipe.
    readonly ConcurrentDictionary<Pipe, ConcurrentBag<RowMapper>> mappers = new();
    readonly ConcurrentDictionary<(Pipe Pipe, string Channel), ChannelRate> rates = new();

    /// <summary>Checks everything about an append that stands before its body.</summary>
    /// <param name="context">The call.</param>
    /// <param name="path">The pipe, or the table.</param>
    /// <param name="channel">Name of the channel.</param>
    /// <param name="endpoint">Name of the endpoint for <see cref="Faults"/>.</param>
    /// <returns>Null if the call has been answered.</returns>
    public async Task<AppendCall?> Begin(HttpContext context, PipePath path, string channel, string endpoint)
    {
        var plan = faults.Take(endpoint, [channel]);
        if (!await gate.Proceed(context, plan) || await gate.Authenticate(context) is not { } caller)
            return null;
        if (await gate.Find(context, caller, path, create: path.IsTable) is not { } pipe)
            return null;

        var query = context.Request.Query;
        if (channel.Equals(TableStore.ElasticChannel, StringComparison.OrdinalIgnoreCase))
        {
            // The elastic channel has no tokens, and no rate of its own.
            var forbidden = Array.Find(["continuationToken", "offsetToken", "startOffsetToken", "endOffsetToken"], query.ContainsKey);
            if (forbidden is null)
                return new AppendCall(pipe, channel, Elastic: true, 0, 0, null, plan);
            await Reply.Error(context, 400, "ERR_INVALID_PARAMETER", $"{forbidden} does not go with the elastic channel.");
            return null;
        }
        if (!TryParseToken(query["continuationToken"].ToString(), out var clientSequencer, out var rowSequencer))
        {
            await Reply.Error(context, 400, "ERR_INVALID_CONTINUATION_TOKEN",
                query.ContainsKey("continuationToken")
                    ? "This service did not give out the continuation token. Please reopen the channel"
                    : "continuationToken is missing; use the one from the last answer for this channel.");
            return null;
        }
        return new AppendCall(pipe, channel, Elastic: false, clientSequencer, rowSequencer,
            settings.Limits ? RateOf(pipe, channel) : null, plan);
    }

    /// <summary>Counts the request against the channel's rate; answers 429 and returns false if there were too many.</summary>
    public static async Task<bool> Admit(HttpContext context, AppendCall call)
    {
        if (call.Rate?.TryRequest() != false)
            return true;
        await Reply.Error(context, 429, "ERR_TOO_MANY_REQUESTS",
            $"Channel {call.Channel} has had more than {ChannelRate.RequestsPerSecond} requests in a second. Back off and send the same request again");
        return false;
    }

    ChannelRate RateOf(Pipe pipe, string channel)
    {
        if (rates.Count >= MaxRates)
            rates.Clear();
        return rates.GetOrAdd((pipe, channel.ToUpperInvariant()), _ => new ChannelRate(clock));
    }

    /// <summary>Tells what the call would do, without doing it.</summary>
    /// <param name="call">The call.</param>
    /// <param name="next">The continuation token that is current.</param>
    public AppendOutcome Check(AppendCall call, out string next)
    {
        next = "";
        return call.Elastic
            ? AppendOutcome.Applied
            : tables.Of(call.Pipe.Table).Check(call.Pipe.Name, call.Channel, call.ClientSequencer, call.RowSequencer, out next);
    }

    /// <summary>Stores the rows, if the continuation token is the current one, and answers the call.</summary>
    public async Task Append(HttpContext context, AppendCall call, RowsToAppend rows)
    {
        var outcome = Check(call, out var next);
        if (outcome != AppendOutcome.Applied)
        {
            await Answer(context, call, outcome, next);
            return;
        }
        // An invalid pipe accepts rows and discards them.
        var verdict = RowVerdict.Nothing;
        if (!call.Plan.InvalidPipe)
        {
            try
            {
                verdict = CheckRows(call.Pipe, rows);
            }
            catch (InvalidDataException e)
            {
                await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", $"The rows cannot be read as {rows.Encoding} NDJSON: {e.Message}");
                return;
            }
        }
        if (call.Rate?.TryBytes(verdict.UncompressedLength) == false)
        {
            await Reply.Error(context, 429, "ERR_TOO_MANY_BYTES",
                $"Channel {call.Channel} has had more than {ChannelRate.BytesPerSecond} bytes in a second. Back off and send the same request again");
            return;
        }
        var body = call.Plan.InvalidPipe ? default : rows.Body;
        var tokens = call.Elastic || call.Plan.InvalidPipe ? default : rows.Tokens;
        var store = tables.Of(call.Pipe.Table);
        outcome = store.Append(call, tokens, verdict, body, out next);
        tables.Wake();
        await Answer(context, call, outcome, next);
    }

    /// <summary>Answers an append, or loses the answer if that is the plan.</summary>
    public static async Task Answer(HttpContext context, AppendCall call, AppendOutcome outcome, string next)
    {
        if (call.Plan.LoseReply)
        {
            context.Abort();
            return;
        }
        switch (outcome)
        {
            case AppendOutcome.Applied or AppendOutcome.Repeated:
                Reply.Session(context, call.Pipe, call.Channel);
                await Reply.Json(context, 200, json =>
                {
                    json.WriteStartObject();
                    // Also from the elastic channel, where nobody sends it back: Snowflake's own SDK takes an answer without it for an
                    // error.
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

    /// <exception cref="InvalidDataException">The rows cannot be read, or are not those that the client declares.</exception>
    RowVerdict CheckRows(Pipe pipe, RowsToAppend rows)
    {
        var idle = mappers.GetOrAdd(pipe, _ => []);
        if (!idle.TryTake(out var mapper))
            mapper = new RowMapper(pipe);
        var accepted = 0;
        List<(int Line, string Error)> rejections = [];
        var length = RowBody.ForEachLine(rows.Body, rows.Encoding, (index, line) =>
        {
            if (mapper.TryCheck(line, out var error))
            {
                accepted++;
                return true;
            }
            // Rows of one sender fail for one reason: its text is kept once.
            rejections.Add((index, rejections.Count > 0 && rejections[^1].Error == error ? rejections[^1].Error : error!));
            return rejections.Count < MaxRejections;
        });
        idle.Add(mapper);
        if (rejections.Count == MaxRejections)
            throw new InvalidDataException($"{MaxRejections} rows or more do not fit the table; send fewer per request");
        if (rows.DeclaredRows is { } count && count != accepted + rejections.Count)
            throw new InvalidDataException($"the client declares {count} rows, but there are {accepted + rejections.Count}");
        return new RowVerdict(rows.Encoding, length, accepted, rejections);
    }

    static bool TryParseToken(string token, out int client, out int row)
    {
        client = row = 0;
        var mark = token.IndexOf('_', StringComparison.Ordinal);
        return mark > 0
            && int.TryParse(token.AsSpan(0, mark), NumberStyles.None, CultureInfo.InvariantCulture, out client)
            && int.TryParse(token.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out row);
    }
}
