namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The rate limit of one channel: two buckets that refill with time and hold one second's worth. Safe for concurrent use.
/// </summary>
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

    /// <summary>A body may make the bucket negative. Otherwise a body larger than a second's worth would never pass.</summary>
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
