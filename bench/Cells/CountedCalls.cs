using System.Diagnostics.Metrics;

namespace ThermalStreaming.Bench;

/// <summary>Counts the calls that a client of Snowflake makes, by the product's own metric. Thread-safe.</summary>
sealed class CountedCalls : IDisposable
{
    readonly MeterListener listener = new();
    long appends,
        status,
        tokens,
        failed;

    /// <param name="meter">The client's.</param>
    public CountedCalls(Meter meter)
    {
        listener.InstrumentPublished = (found, self) =>
        {
            if (ReferenceEquals(found.Meter, meter) && found.Name == "thermal.request.duration")
                self.EnableMeasurementEvents(found);
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => Count(tags));
        listener.Start();
    }

    /// <summary>So far.</summary>
    public Calls Now => new(Interlocked.Read(ref appends), Interlocked.Read(ref status), Interlocked.Read(ref tokens));

    /// <summary>Calls that were not answered with 200, so far.</summary>
    public long Failed => Interlocked.Read(ref failed);

    void Count(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (name, value) in tags)
        {
            switch (name, value)
            {
                case ("operation", "append"):
                    Interlocked.Increment(ref appends);
                    break;
                case ("operation", "status"):
                    Interlocked.Increment(ref status);
                    break;
                case ("operation", "sign_in"):
                    Interlocked.Increment(ref tokens);
                    break;
                case ("status", not "200"):
                    Interlocked.Increment(ref failed);
                    break;
            }
        }
    }

    public void Dispose() => listener.Dispose();
}
