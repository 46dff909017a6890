using System.Diagnostics.Metrics;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's figures, for <c>/metrics</c> and <c>/status</c>. Thread-safe.</summary>
sealed class AgentMetrics
{
    readonly Counter<long> taken;
    readonly Counter<long> published;
    readonly Counter<long> replayed;
    readonly Histogram<double> latency;
    readonly Meter meter;
    long takenTotal;
    long publishedTotal;

    public AgentMetrics(Meter meter, StatusPage page)
    {
        this.meter = meter;
        taken = meter.CreateCounter<long>("thermal.agent.readings.taken", "{reading}", "Readings taken since the start.");
        published = meter.CreateCounter<long>("thermal.agent.readings.published", "{reading}", "Readings the broker has acknowledged, repeats left out.");
        replayed = meter.CreateCounter<long>("thermal.agent.readings.replayed", "{reading}", "Readings acknowledged that were marked as replayed: late, or repeated after a connection loss.");
        latency = meter.CreateHistogram<double>("thermal.agent.publish.duration", "s", "From publishing a batch to the broker's acknowledgement.");
        page.Add(json =>
        {
            json.WriteNumber("readings_taken"u8, Volatile.Read(ref takenTotal));
            json.WriteNumber("readings_published"u8, Volatile.Read(ref publishedTotal));
        });
    }

    public void Taken(ReadingKind kind, int count)
    {
        Interlocked.Add(ref takenTotal, count);
        taken.Add(count, new KeyValuePair<string, object?>("kind", Topics.Name(kind)));
    }

    /// <param name="kind">Of the batch.</param>
    /// <param name="count">Readings in it.</param>
    /// <param name="wasReplayed">It was marked as replayed.</param>
    /// <param name="isFirst">The broker had not acknowledged it before, as far as this process knows.</param>
    /// <param name="took">From publishing to acknowledgement.</param>
    public void Published(ReadingKind kind, int count, bool wasReplayed, bool isFirst, TimeSpan took)
    {
        var tag = new KeyValuePair<string, object?>("kind", Topics.Name(kind));
        if (isFirst)
        {
            Interlocked.Add(ref publishedTotal, count);
            published.Add(count, tag);
        }
        if (wasReplayed)
            replayed.Add(count, tag);
        latency.Record(took.TotalSeconds);
    }

    /// <summary>Shows what the outboxes and the connection say of themselves.</summary>
    public void Observe(IReadOnlyList<Outbox> outboxes, Func<long> reconnects)
    {
        meter.CreateObservableGauge("thermal.agent.outbox.backlog", () => Measure(outbox => outbox.Backlog), "{reading}", "Readings in the outbox that the broker has not acknowledged.");
        meter.CreateObservableGauge("thermal.agent.outbox.size", () => Measure(outbox => outbox.Journal.SizeBytes), "By", "Bytes of the outbox on disk, the replay window included.");
        meter.CreateObservableGauge("thermal.agent.outbox.oldest.age", () => outboxes.Select(outbox => new Measurement<double>(outbox.OldestAge.TotalSeconds, Tag(outbox))), "s",
            "Age of the oldest reading that the broker has not acknowledged; 0 if there is none.");
        meter.CreateObservableCounter("thermal.agent.outbox.fsyncs", () => Measure(outbox => outbox.Journal.Flushes), "{fsync}", "fsync calls of the outbox.");
        meter.CreateObservableCounter("thermal.agent.outbox.written", () => Measure(outbox => outbox.Journal.BytesWritten), "By", "Bytes the outbox has written to disk.");
        meter.CreateObservableCounter("thermal.agent.mqtt.reconnects", reconnects, "{connection}", "Connections made after the first.");

        IEnumerable<Measurement<long>> Measure(Func<Outbox, long> value) => outboxes.Where(outbox => outbox.IsOpen).Select(outbox => new Measurement<long>(value(outbox), Tag(outbox)));

        static KeyValuePair<string, object?> Tag(Outbox outbox) => new("kind", Topics.Name(outbox.Kind));
    }

    /// <summary>Shows how often each sensor failed.</summary>
    public void Observe(SimulatedEnvironment environment)
        => meter.CreateObservableCounter("thermal.agent.sensor.failures",
            () => environment.Sensors.Select(sensor => new Measurement<long>(sensor.Failures, new KeyValuePair<string, object?>("sensor", sensor.Name))), "{measurement}",
            "Measurements that a sensor did not deliver.");
}
