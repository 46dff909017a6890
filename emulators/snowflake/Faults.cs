using System.Globalization;
using System.IO.Enumeration;
using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What is to go wrong, when and how often.</summary>
sealed class Fault
{
    public int Id { get; set; }

    /// <summary>One of <see cref="Faults.Endpoints"/>.</summary>
    public string Endpoint { get; init; } = "any";

    /// <summary>Pattern of channel names with * and ?.</summary>
    public string Channel { get; init; } = "*";

    /// <summary>One of <see cref="Faults.Kinds"/>.</summary>
    public string Kind { get; init; } = "status";

    /// <summary>HTTP status of kind status.</summary>
    public int Status { get; init; }

    public string? Code { get; init; }
    public string? Message { get; init; }

    /// <summary>The whole body, in place of one made from status, code and message.</summary>
    public string? Body { get; init; }

    public string? RetryAfter { get; init; }

    /// <summary>Host name that discovery answers, of kind hostname.</summary>
    public string? Host { get; init; }

    /// <summary>Wait of kind delay, or shift of kind clock_skew.</summary>
    public TimeSpan Span { get; init; }

    /// <summary>Matching calls to let pass first.</summary>
    public int Skip { get; set; }

    /// <summary>Calls left; null is no limit.</summary>
    public int? Times { get; set; }

    /// <summary>End of the fault; null is never.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>What the faults mean for one call.</summary>
sealed class FaultPlan
{
    public TimeSpan Delay { get; set; }
    public Fault? Refuse { get; set; }
    public bool AbortBefore { get; set; }
    public bool LoseReply { get; set; }
    public bool InvalidPipe { get; set; }
    public string? Host { get; set; }
}

/// <summary>The faults that are switched on. Safe for concurrent use.</summary>
sealed class Faults(TimeProvider clock)
{
    public static readonly string[] Endpoints =
        ["any", "hostname", "token", "pipe_info", "open", "append", "upload", "filebuffer", "status", "drop"];

    public static readonly string[] Kinds =
        ["status", "lost_reply", "abort", "delay", "invalid_pipe", "invalidate", "clock_skew", "hostname"];

    readonly Lock gate = new();
    readonly List<Fault> active = [];
    int lastId;

    /// <summary>The time that this server shows and judges tokens by.</summary>
    public DateTimeOffset ServerTime
    {
        get
        {
            var skew = TimeSpan.Zero;
            lock (gate)
            {
                Expire();
                foreach (var fault in active)
                {
                    if (fault.Kind == "clock_skew")
                        skew += fault.Span;
                }
            }
            return clock.GetUtcNow() + skew;
        }
    }

    /// <summary>The clock is shifted, so the Date header must be.</summary>
    public bool ClockIsSkewed
    {
        get
        {
            lock (gate)
                return active.Exists(f => f.Kind == "clock_skew");
        }
    }

    public void Add(Fault fault)
    {
        lock (gate)
        {
            fault.Id = ++lastId;
            active.Add(fault);
        }
    }

    /// <summary>Removes one fault, or all.</summary>
    public int Clear(int? id)
    {
        lock (gate)
            return active.RemoveAll(f => id is null || f.Id == id);
    }

    public IReadOnlyList<Fault> List()
    {
        lock (gate)
        {
            Expire();
            return [.. active];
        }
    }

    /// <summary>Counts a call against the faults that match it and says what is to happen.</summary>
    /// <param name="endpoint">One of <see cref="Endpoints"/>, not any.</param>
    /// <param name="channels">Channels the call is about; empty for calls about none, which only a fault for every channel hits.</param>
    public FaultPlan Take(string endpoint, IReadOnlyCollection<string> channels)
    {
        var plan = new FaultPlan();
        lock (gate)
        {
            Expire();
            foreach (var fault in active)
            {
                if (fault.Kind == "clock_skew" || (fault.Endpoint != "any" && fault.Endpoint != endpoint) || !Hits(fault, channels))
                    continue;
                if (fault.Skip > 0)
                {
                    fault.Skip--;
                    continue;
                }
                if (fault.Times <= 0)
                    continue;
                fault.Times--;
                switch (fault.Kind)
                {
                    case "delay":
                        plan.Delay += fault.Span;
                        continue;
                    case "invalid_pipe":
                        plan.InvalidPipe = true;
                        continue;
                    case "hostname":
                        plan.Host = fault.Host;
                        continue;
                    case "abort":
                        plan.AbortBefore = true;
                        break;
                    case "lost_reply":
                        plan.LoseReply = true;
                        break;
                    default:
                        plan.Refuse = fault;
                        break;
                }
                break;
            }
            active.RemoveAll(f => f.Times <= 0);
        }
        return plan;
    }

    static bool Hits(Fault fault, IReadOnlyCollection<string> channels) => fault.Channel == "*"
        || channels.Any(c => FileSystemName.MatchesSimpleExpression(fault.Channel, c, ignoreCase: true));

    void Expire() => active.RemoveAll(f => f.Until is { } until && clock.GetUtcNow() >= until);

    /// <summary>Makes a fault from keys and values, as the JSON body or the query of a request gives them.</summary>
    /// <returns>Null with a sentence in <paramref name="problem"/> if something is wrong with them.</returns>
    public Fault? Parse(IReadOnlyDictionary<string, string> values, out string? problem)
    {
        string[] known = ["kind", "endpoint", "channel", "status", "code", "message", "body", "retry_after", "host", "delay", "skew",
            "skip", "times", "seconds"];
        problem = null;
        foreach (var key in values.Keys)
        {
            if (!known.Contains(key))
            {
                problem = $"'{key}' is no part of a fault; these are: {string.Join(", ", known)}.";
                return null;
            }
        }
        string? Value(string key) => values.TryGetValue(key, out var value) ? value : null;

        var wrong = new List<string>();
        int? Number(string key, int least, int most)
        {
            if (Value(key) is not { } text)
                return null;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
                return number;
            wrong.Add($"{key} is '{text}'; it must be a number from {least} to {most}.");
            return null;
        }

        var kind = Value("kind") ?? "status";
        var endpoint = Value("endpoint") ?? (kind == "hostname" ? "hostname" : "any");
        if (!Kinds.Contains(kind))
            wrong.Add($"kind is '{kind}'; it must be one of {string.Join(", ", Kinds)}.");
        if (!Endpoints.Contains(endpoint))
            wrong.Add($"endpoint is '{endpoint}'; it must be one of {string.Join(", ", Endpoints)}.");
        var status = Number("status", 200, 599);
        if (kind == "status" && status is null && wrong.Count == 0)
            wrong.Add("status is needed: the HTTP status to answer.");
        if (kind == "hostname" && Value("host") is null)
            wrong.Add("host is needed: the name that discovery answers.");
        var span = TimeSpan.Zero;
        if (kind is "delay" or "clock_skew")
        {
            var key = kind == "delay" ? "delay" : "skew";
            var text = Value(key) ?? "";
            var back = key == "skew" && text.StartsWith('-');
            if (Settings.TryParseDuration(text.TrimStart('-', '+'), out span))
                span = back ? -span : span;
            else
                wrong.Add($"{key} is '{text}'; it must be a duration, as in 500ms, 5s, 10m{(key == "skew" ? ", -1h" : "")}.");
        }
        var times = Number("times", 1, int.MaxValue);
        var skip = Number("skip", 0, int.MaxValue);
        var seconds = Value("seconds") is { } duration
            ? Settings.TryParseDuration(duration, out var lasting) ? lasting : Wrong($"seconds is '{duration}'; it must be a duration.")
            : (TimeSpan?)null;
        TimeSpan? Wrong(string sentence)
        {
            wrong.Add(sentence);
            return null;
        }

        if (wrong.Count > 0)
        {
            problem = string.Join(' ', wrong);
            return null;
        }
        return new Fault
        {
            Kind = kind,
            Endpoint = endpoint,
            Channel = Value("channel") ?? "*",
            Status = status ?? 0,
            Code = Value("code"),
            Message = Value("message"),
            Body = Value("body"),
            RetryAfter = Value("retry_after"),
            Host = Value("host"),
            Span = span,
            Skip = skip ?? 0,
            // Without a count or a time a fault is for one call; a skewed clock stays until it is cleared.
            Times = times ?? (seconds is null && kind != "clock_skew" ? 1 : null),
            Until = seconds is { } time ? clock.GetUtcNow() + time : null,
        };
    }

    /// <summary>The answer that a status fault stands for, in the shape that status was seen with.</summary>
    public static (string ContentType, string Body) Answer(Fault fault)
    {
        const string Json = "application/json";
        if (fault.Body is { } body)
            return (body.TrimStart() is ['{' or '"' or '[', ..] ? Json : "text/plain", body);
        var code = fault.Code ?? fault.Status switch
        {
            400 => "STALE_CONTINUATION_TOKEN_SEQUENCER",
            401 => "390318",
            403 => "ERR_FORBIDDEN",
            404 => "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
            409 => "ERR_OPEN_CHANNEL_IN_PROGRESS",
            429 => "ERR_TOO_MANY_REQUESTS",
            500 or 503 => "ERR_GENERAL_EXCEPTION_RETRY_REQUEST",
            _ => $"ERR_HTTP_{fault.Status}",
        };
        var message = fault.Message ?? (fault.Status, code) switch
        {
            (401, _) => $"OAuth access token expired. [{Guid.NewGuid()}]",
            (_, "STALE_CONTINUATION_TOKEN_SEQUENCER") => "Channel sequencer in the continuation token is stale. Please reopen the channel",
            _ => "Injected by /emulator/faults",
        };
        return fault.Status switch
        {
            410 => ("text/plain", "Gone"),
            408 or 499 when fault.Code is null => ("text/plain", ""),
            500 or 503 when fault.Message is null => (Json, $"\"{JsonEncodedText.Encode(code)}\""),
            404 => (Json, $$"""{"error_code":"{{JsonEncodedText.Encode(code)}}","message":"{{JsonEncodedText.Encode(message)}}"}"""),
            _ => (Json, $$"""{"code":"{{JsonEncodedText.Encode(code)}}","message":"{{JsonEncodedText.Encode(message)}}"}"""),
        };
    }
}
