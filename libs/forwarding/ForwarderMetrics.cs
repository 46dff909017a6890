using System.Diagnostics.Metrics;

namespace ThermalStreaming.Forwarding;

/// <summary>The figures of intake and delivery, over all slots of a process. Thread-safe.</summary>
sealed class ForwarderMetrics
{
    readonly Counter<long> received;
    readonly Counter<long> duplicates;
    readonly Counter<long> stored;
    readonly Counter<long> poison;
    readonly Counter<long> refused;
    readonly Counter<long> empty;
    readonly Counter<long> sent;
    readonly Counter<long> failures;
    readonly Histogram<double> storing;
    readonly Histogram<double> sending;
    long receivedTotal;
    long duplicateTotal;
    long storedTotal;
    long poisonTotal;
    long sentTotal;

    public ForwarderMetrics(Meter meter)
    {
        received = meter.CreateCounter<long>("thermal.forwarder.readings.received", "{reading}", "Readings that arrived by MQTT, repeats included");
        duplicates = meter.CreateCounter<long>("thermal.forwarder.readings.duplicate", "{reading}", "Readings that had been stored before and were dropped");
        stored = meter.CreateCounter<long>("thermal.forwarder.readings.stored", "{reading}", "Readings written to the journal");
        poison = meter.CreateCounter<long>("thermal.forwarder.messages.dead", "{message}", "Messages that could not be read, kept as dead letters");
        refused = meter.CreateCounter<long>("thermal.forwarder.readings.refused", "{reading}", "Readings that cannot be taken, kept as dead letters; their neighbours in the message are stored");
        empty = meter.CreateCounter<long>("thermal.forwarder.messages.empty", "{message}", "Messages without a payload, which delete a retained message; ignored");
        sent = meter.CreateCounter<long>("thermal.forwarder.readings.sent", "{reading}", "Readings that the destination accepted, repeats after a reopening included");
        failures = meter.CreateCounter<long>("thermal.forwarder.failures", "{failure}", "Calls to the destination that failed, by what they needed");
        storing = meter.CreateHistogram<double>("thermal.forwarder.store.duration", "s", "From taking a group of messages to their being on disk");
        sending = meter.CreateHistogram<double>("thermal.forwarder.send.duration", "s", "Time for the destination to accept a batch");
    }

    public long ReceivedTotal => Interlocked.Read(ref receivedTotal);

    public long DuplicateTotal => Interlocked.Read(ref duplicateTotal);

    public long StoredTotal => Interlocked.Read(ref storedTotal);

    public long PoisonTotal => Interlocked.Read(ref poisonTotal);

    public long SentTotal => Interlocked.Read(ref sentTotal);

    public void Stored(int receivedReadings, int storedReadings, int duplicateReadings, int poisonMessages, TimeSpan took)
    {
        received.Add(receivedReadings);
        stored.Add(storedReadings);
        duplicates.Add(duplicateReadings);
        poison.Add(poisonMessages);
        storing.Record(took.TotalSeconds);
        Interlocked.Add(ref receivedTotal, receivedReadings);
        Interlocked.Add(ref storedTotal, storedReadings);
        Interlocked.Add(ref duplicateTotal, duplicateReadings);
        Interlocked.Add(ref poisonTotal, poisonMessages);
    }

    public void Refused(int readings) => refused.Add(readings);

    public void Empty() => empty.Add(1);

    public void Sent(int readings, TimeSpan took)
    {
        sent.Add(readings);
        sending.Record(took.TotalSeconds);
        Interlocked.Add(ref sentTotal, readings);
    }

    public void Failed(SinkFailure failure) => failures.Add(1, new KeyValuePair<string, object?>("needs", failure.ToString()));
}
