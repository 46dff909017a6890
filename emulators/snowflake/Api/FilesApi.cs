using System.Globalization;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Classic Snowpipe's REST API: loads files named by clients, and reports loads. Thread-safe.</summary>
sealed class FilesApi(StreamingTables tables, EmulatorSettings settings, FileRequests requests, TimeProvider clock)
{
    public const int MostEvents = 10_000;

    /// <summary>How far insertReport looks back.</summary>
    public static readonly TimeSpan ReportSpan = TimeSpan.FromMinutes(10);

    const string MarkPrefix = "1_";

    /// <summary>The pipe of a call, for faults that hit only some pipes.</summary>
    public static Task<IReadOnlyCollection<string>> PipeOf(HttpContext call) =>
        Task.FromResult<IReadOnlyCollection<string>>([call.Name("pipe")]);

    /// <summary>POST: queues files for loading. They are kept across a restart.</summary>
    public async Task Insert(HttpContext call)
    {
        var pipe = call.LoadPipe();
        var paths = await FilesToLoad.ReadAsync(call.Request, call.RequestAborted);
        if (settings.Loader is null)
            throw FileRefusal.Bad("This emulator loads no files: set SQS_QUEUE and the bucket's settings.");
        var matching = paths.Where(path => pipe.Takes(pipe.Stage.Bucket, pipe.Stage.Prefix + path)).ToList();
        requests.Add(pipe, matching);
        var answer = Answer(call);
        answer["status"] = "success";
        if (pipe.Pattern is not null)
            answer["unmatchedPatternFiles"] = new JsonArray([.. paths.Except(matching).Select(path => (JsonNode)path)]);
        await Reply.Json(call, 200, answer);
    }

    /// <summary>GET: reports files named by clients in the last minutes.</summary>
    public Task Report(HttpContext call)
    {
        var pipe = call.LoadPipe();
        var span = ReportSpan;
        if (call.Request.Query["recentSeconds"].ToString() is { Length: > 0 } text)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds == 0)
                throw FileRefusal.Bad($"recentSeconds is '{text}'; it must be a number of seconds.");
            span = seconds < ReportSpan.TotalSeconds ? TimeSpan.FromSeconds(seconds) : ReportSpan;
        }
        // The mark is a hint: one that is not understood reports everything.
        var mark = MarkIn(call.Request.Query["beginMark"].ToString());
        var since = (clock.GetUtcNow() - (mark is null ? span : ReportSpan)).ToUnixTimeMilliseconds();
        var store = tables.Of(pipe.Table);
        var files = store.RequestedLoads(pipe.FullName, mark ?? 0, since, MostEvents);
        // Without a mark, entries older than the requested time are not missing.
        var all = store.CountRequestedLoads(pipe.FullName, mark ?? 0, mark is null ? since : 0);
        var answer = Answer(call);
        answer["pipe"] = pipe.FullName;
        answer["completeResult"] = files.Count == all;
        answer["nextBeginMark"] = MarkPrefix + (files.Count > 0 ? files[^1].Id : mark ?? 0).ToString(CultureInfo.InvariantCulture);
        answer["files"] = LoadReport.Files(files);
        return Reply.Json(call, 200, answer);
    }

    /// <summary>GET: reports every file in a range of time, announced or named.</summary>
    public Task History(HttpContext call)
    {
        var pipe = call.LoadPipe();
        var start = TimeIn(call, "startTimeInclusive") ?? throw FileRefusal.Bad("startTimeInclusive is needed, in ISO 8601.");
        var end = TimeIn(call, "endTimeExclusive") ?? clock.GetUtcNow();
        if (end < start)
            throw FileRefusal.Bad("endTimeExclusive is before startTimeInclusive.");
        var found = tables
            .Of(pipe.Table)
            .LoadsBetween(pipe.FullName, start.ToUnixTimeMilliseconds(), end.ToUnixTimeMilliseconds(), MostEvents + 1);
        var files = found.Take(MostEvents).ToList();
        var answer = Answer(call);
        answer["pipe"] = pipe.FullName;
        answer["completeResult"] = found.Count <= MostEvents;
        answer["startTimeInclusive"] = LoadReport.Time(start.ToUnixTimeMilliseconds());
        answer["endTimeExclusive"] = LoadReport.Time(end.ToUnixTimeMilliseconds());
        answer["rangeStartTime"] = files.Count > 0 ? LoadReport.Time(files[0].LoadedMs) : null;
        answer["rangeEndTime"] = files.Count > 0 ? LoadReport.Time(files[^1].LoadedMs) : null;
        answer["files"] = LoadReport.Files(files);
        return Reply.Json(call, 200, answer);
    }

    static JsonObject Answer(HttpContext call) =>
        new() { ["requestId"] = call.Request.Query["requestId"].ToString() is { Length: > 0 } id ? id : null };

    static long? MarkIn(string text) =>
        text.StartsWith(MarkPrefix, StringComparison.Ordinal)
        && long.TryParse(text.AsSpan(MarkPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var mark)
            ? mark
            : null;

    static DateTimeOffset? TimeIn(HttpContext call, string key)
    {
        // An unencoded plus has become a blank.
        var text = call.Request.Query[key].ToString().Trim().Replace(' ', '+');
        const DateTimeStyles Style = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return text.Length == 0 ? null
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Style, out var time) ? time
            : throw FileRefusal.Bad($"{key} is '{text}'; it must be a time in ISO 8601, as in 2026-11-20T10:00:00Z.");
    }
}
