using System.Globalization;

namespace ThermalStreaming.Snowflake;

/// <summary>
/// The time by Snowflake's clock, known from the <c>Date</c> headers of its answers: a Pi has no clock battery, and a token is judged by
/// its time. Between answers it runs on the monotonic clock, so a step of this machine's clock does not move it. Thread-safe.
/// </summary>
sealed class ServerClock(TimeProvider clock)
{
    /// <summary>A Date header has whole seconds and travel time: a smaller difference means nothing.</summary>
    static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1.5);

    /// <summary>After a longer trip, it is too uncertain when the answer's Date was written.</summary>
    static readonly TimeSpan LongestTrip = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A Date outside this range cannot be right. The difference from this machine's own clock proves nothing: that may have stopped in
    /// 1970.
    /// </summary>
    static readonly (DateTimeOffset From, DateTimeOffset To) Plausible = (
        new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero),
        new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero)
    );

    readonly Lock gate = new();
    (DateTimeOffset Server, long Timestamp)? anchor;

    /// <summary>This machine's own time until the first answer.</summary>
    public DateTimeOffset UtcNow
    {
        get
        {
            lock (gate)
                return anchor is var (server, timestamp) ? server + clock.GetElapsedTime(timestamp) : clock.GetUtcNow();
        }
    }

    /// <summary>How far the server is ahead of this machine; null until the first answer.</summary>
    public TimeSpan? Offset
    {
        get
        {
            lock (gate)
                return anchor is null ? null : UtcNow - clock.GetUtcNow();
        }
    }

    /// <summary>A difference between clocks, for a person.</summary>
    public static string Say(TimeSpan difference) =>
        difference.Duration() switch
        {
            { TotalMinutes: < 2 } little => string.Create(CultureInfo.InvariantCulture, $"{little.TotalSeconds:0.0} s"),
            { TotalHours: < 2 } minutes => string.Create(CultureInfo.InvariantCulture, $"{minutes.TotalMinutes:0} minutes"),
            { TotalDays: < 2 } hours => string.Create(CultureInfo.InvariantCulture, $"{hours.TotalHours:0} hours"),
            var days => string.Create(CultureInfo.InvariantCulture, $"{days.TotalDays:0} days"),
        };

    /// <summary>Learns from an answer.</summary>
    /// <param name="date">Its Date header.</param>
    /// <param name="sent"><see cref="TimeProvider.GetTimestamp"/> when its request was sent.</param>
    public void Observe(DateTimeOffset? date, long sent)
    {
        var trip = clock.GetElapsedTime(sent);
        if (date is null || date < Plausible.From || date >= Plausible.To || trip > LongestTrip)
            return;
        // Half a second: the header is cut to the second, so on average the server is that much ahead of it.
        var now = date.Value + TimeSpan.FromSeconds(0.5) + trip / 2;
        lock (gate)
        {
            if (anchor is null || (now - UtcNow).Duration() > Tolerance)
                anchor = (now, clock.GetTimestamp());
        }
    }
}
