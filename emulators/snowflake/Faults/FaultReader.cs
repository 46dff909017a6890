using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Makes a fault from the keys and values in a request's query and JSON body.</summary>
sealed class FaultReader
{
    static readonly string[] Keys =
    [
        "kind",
        "endpoint",
        "channel",
        "status",
        "code",
        "message",
        "body",
        "retry_after",
        "host",
        "delay",
        "skew",
        "skip",
        "times",
        "seconds",
    ];

    readonly IReadOnlyDictionary<string, string> values;
    readonly List<string> problems = [];

    FaultReader(IReadOnlyDictionary<string, string> values) => this.values = values;

    /// <summary>Makes a fault.</summary>
    /// <param name="values">Keys and values.</param>
    /// <param name="now">The time, from which <c>seconds</c> counts.</param>
    /// <exception cref="RefusedException">The values are wrong; the message names every problem.</exception>
    public static Fault Read(IReadOnlyDictionary<string, string> values, DateTimeOffset now)
    {
        var reader = new FaultReader(values);
        var fault = reader.Read(now);
        return reader.problems.Count == 0 ? fault : throw new RefusedException(400, "BAD_FAULT", string.Join(' ', reader.problems));
    }

    Fault Read(DateTimeOffset now)
    {
        foreach (var key in values.Keys.Except(Keys))
            problems.Add($"'{key}' is not a field of a fault; the fields are: {string.Join(", ", Keys)}.");
        var kind = Choice("kind", Faults.Kinds, "status");
        var endpoint = Choice("endpoint", Faults.Endpoints, kind == "hostname" ? "hostname" : "any");
        Require(kind, "status", "status", "the HTTP status to answer");
        Require(kind, "hostname", "host", "the name that discovery answers");
        Require(kind, "delay", "delay", "how long to wait, as in 500ms or 5s");
        Require(kind, "clock_skew", "skew", "how far the clock is off, as in 10m or -1h");
        var times = Number("times", 1, int.MaxValue);
        var lasting = Duration("seconds");
        return new Fault
        {
            Kind = kind,
            Endpoint = endpoint,
            Channel = Value("channel") ?? "*",
            Status = Number("status", 200, 599) ?? 0,
            Code = Value("code"),
            Message = Value("message"),
            Body = Value("body"),
            RetryAfter = Value("retry_after"),
            Host = Value("host"),
            Span =
                (
                    kind switch
                    {
                        "delay" => Duration("delay"),
                        "clock_skew" => Duration("skew"),
                        _ => null,
                    }
                ) ?? TimeSpan.Zero,
            Skip = Number("skip", 0, int.MaxValue) ?? 0,
            // Without a count or a time a fault applies to one call. A skewed clock stays until it is cleared.
            Times = times ?? (lasting is null && kind != "clock_skew" ? 1 : null),
            Until = now + lasting,
        };
    }

    string? Value(string key) => values.TryGetValue(key, out var value) ? value : null;

    void Require(string kind, string ofKind, string key, string what)
    {
        if (kind == ofKind && !values.ContainsKey(key))
            problems.Add($"{key} is needed: {what}.");
    }

    string Choice(string key, string[] choices, string otherwise)
    {
        var value = Value(key) ?? otherwise;
        if (!choices.Contains(value))
            problems.Add($"{key} is '{value}'; it must be one of {string.Join(", ", choices)}.");
        return value;
    }

    int? Number(string key, int least, int most)
    {
        if (Value(key) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        problems.Add($"{key} is '{text}'; it must be a number from {least} to {most}.");
        return null;
    }

    TimeSpan? Duration(string key)
    {
        if (Value(key) is not { } text)
            return null;
        var back = key == "skew" && text.StartsWith('-');
        if (Settings.TryParseDuration(text.TrimStart('-', '+'), out var span) && (back || !text.StartsWith('-')))
            return back ? -span : span;
        problems.Add($"{key} is '{text}'; it must be a duration, as in 500ms, 5s, 10m{(key == "skew" ? ", -1h" : "")}.");
        return null;
    }
}
