using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Common part of appends with rows in the body and appends with rows in uploaded files: continuation token, checking the rows against the
/// table, storing them, and the answer. Safe for concurrent use.
/// </summary>
sealed class Appender(StreamingTables tables)
{
    // Each is kept in memory until it is stored, and a small body may hold millions of lines.
    const int MaxRejections = 2_000_000;

    static readonly string[] TokenParameters = ["continuationToken", "offsetToken", "startOffsetToken", "endOffsetToken"];

    // A pipe's mappers with their buffers, for its next request.
    readonly ConcurrentDictionary<Pipe, ConcurrentBag<RowMapper>> mappers = new();

    /// <summary>Reads the destination of the rows from the path and the query.</summary>
    /// <exception cref="RefusedException">The continuation token is missing, malformed, or given for the elastic channel.</exception>
    public static AppendCall Begin(HttpContext call)
    {
        var query = call.Request.Query;
        var channel = call.Channel()!;
        if (TableStore.IsElastic(channel))
        {
            return Array.Find(TokenParameters, query.ContainsKey) is { } forbidden
                ? throw new RefusedException(400, "ERR_INVALID_PARAMETER", $"{forbidden} must not be sent to the elastic channel.")
                : new AppendCall(call.Pipe(), channel, null);
        }
        var token =
            ContinuationToken.TryParse(query["continuationToken"].ToString())
            ?? throw new RefusedException(
                400,
                "ERR_INVALID_CONTINUATION_TOKEN",
                query.ContainsKey("continuationToken")
                    ? "This service did not issue the continuation token. Please reopen the channel"
                    : "continuationToken is missing. Send the one from the last answer for this channel."
            );
        return new AppendCall(call.Pipe(), channel, token);
    }

    /// <summary>Tells whether an append would store its rows; if not, answers it.</summary>
    public async Task<bool> IsNew(HttpContext call, AppendCall append)
    {
        var outcome = tables.Of(append.Pipe.Table).Check(append, out var next);
        if (outcome != AppendOutcome.Applied)
            await Answer(call, append, outcome, next);
        return outcome == AppendOutcome.Applied;
    }

    /// <summary>Stores the rows, if the continuation token is the current one, and answers the call.</summary>
    public async Task Append(HttpContext call, AppendCall append, RowsToAppend rows)
    {
        if (!await IsNew(call, append))
            return;
        // An invalid pipe accepts rows and discards them.
        if (call.Plan().InvalidPipe)
            rows = default;
        var verdict = CheckRows(append.Pipe, rows);
        if (call.Features.Get<ChannelRate>()?.TryBytes(verdict.UncompressedLength) == false)
        {
            throw new RefusedException(
                429,
                "ERR_TOO_MANY_BYTES",
                $"Channel {append.Channel} has had more than "
                    + $"{ChannelRate.BytesPerSecond} bytes in a second. Back off and send the same request again."
            );
        }
        var tokens = append.Token is null ? default : rows.Tokens;
        var outcome = tables.Of(append.Pipe.Table).Append(append, tokens, verdict, rows.Body, out var next);
        tables.Wake();
        await Answer(call, append, outcome, next);
    }

    static Task Answer(HttpContext call, AppendCall append, AppendOutcome outcome, string next)
    {
        if (outcome is not (AppendOutcome.Applied or AppendOutcome.Repeated))
            throw Refused(outcome);
        Reply.Session(call, append.Pipe, append.Channel);
        return Reply.Json(
            call,
            200,
            new JsonObject
            {
                // The elastic channel answers it too. Nobody sends it back, but Snowflake's own SDK treats an answer without it as an
                // error.
                ["next_continuation_token"] = next,
                ["status_code"] = 0,
                ["message"] = "OK",
            }
        );
    }

    static RefusedException Refused(AppendOutcome outcome) =>
        outcome switch
        {
            AppendOutcome.Stale => new(
                400,
                "STALE_CONTINUATION_TOKEN_SEQUENCER",
                "Channel sequencer in the continuation token is stale. Please reopen the channel"
            ),
            AppendOutcome.AheadOfChannel => new(
                400,
                "ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER",
                "Row sequencer in the continuation token is ahead of the channel. Please reopen the channel"
            ),
            AppendOutcome.MustReopen => new(
                409,
                "ERR_CHANNEL_MUST_BE_REOPENED",
                "The channel has been invalidated. Please reopen the channel"
            ),
            // Seen live with an empty message.
            _ => new(400, "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED", ""),
        };

    /// <exception cref="RefusedException">The rows cannot be read, or differ from those that the client declares.</exception>
    RowVerdict CheckRows(Pipe pipe, RowsToAppend rows)
    {
        var idle = mappers.GetOrAdd(pipe, _ => []);
        if (!idle.TryTake(out var mapper))
            mapper = new RowMapper(pipe);
        var accepted = 0;
        List<(int Line, string Error)> rejections = [];
        try
        {
            var length = RowBody.ForEachLine(
                rows.Body,
                rows.Encoding,
                (index, line) =>
                {
                    if (mapper.TryCheck(line, out var error))
                    {
                        accepted++;
                        return true;
                    }
                    // The rows of one sender usually fail for one reason; its text is kept once.
                    rejections.Add((index, rejections.Count > 0 && rejections[^1].Error == error ? rejections[^1].Error : error!));
                    return rejections.Count < MaxRejections;
                }
            );
            if (rejections.Count == MaxRejections)
                throw new InvalidDataException($"{MaxRejections} rows or more do not fit the table; send fewer per request");
            if (rows.DeclaredRows is { } count && count != accepted + rejections.Count)
                throw new InvalidDataException($"the client declares {count} rows, but there are {accepted + rejections.Count}");
            return new RowVerdict(rows.Encoding, length, accepted, rejections);
        }
        catch (InvalidDataException e)
        {
            throw new RefusedException(400, "ERR_INVALID_REQUEST_BODY", $"The rows cannot be read as {rows.Encoding} NDJSON: {e.Message}");
        }
        finally
        {
            idle.Add(mapper);
        }
    }
}
