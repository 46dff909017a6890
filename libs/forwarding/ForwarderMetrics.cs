using System.Diagnostics.Metrics;

namespace ThermalStreaming.Forwarding;

/// <summary>The figures of intake and delivery, over all slots of a process. Thread-safe.</summary>
sealed class ForwarderMetrics
{
    readonly Counter<long> received;
    readonly Counter<long> duplicates;
    readonly Counter<long> stored;
    readonly Counter<long> dead;
    readonly Counter<long> refused;
    readonly Counter<long> empty;
    readonly Counter<long> unmapped;
    readonly Counter<long> withoutValue;
    readonly Counter<long> sent;
    readonly Counter<long> committed;
    readonly RecentRate committedLately;
    readonly Counter<long> failures;
    readonly Histogram<double> storing;
    readonly Histogram<double> sending;
    readonly Histogram<double> committing;
    long receivedTotal;
    long duplicateTotal;
    long storedTotal;
    long sentTotal;
    long committedTotal;
    long failedTotal;
    LastFailure? lastFailure;
    long unmappedTotal;
    string? lastUnmapped;

    public ForwarderMetrics(Meter meter, TimeProvider clock)
    {
        committedLately = new RecentRate(clock);
        received = meter.CreateCounter<long>(
            "thermal.forwarder.readings.received",
            "{reading}",
            "Readings that arrived by MQTT, repeats included"
        );
        duplicates = meter.CreateCounter<long>(
            "thermal.forwarder.readings.duplicate",
            "{reading}",
            "Readings that had been stored before and were dropped"
        );
        stored = meter.CreateCounter<long>("thermal.forwarder.readings.stored", "{reading}", "Readings written to the journal");
        dead = meter.CreateCounter<long>(
            "thermal.forwarder.messages.dead",
            "{message}",
            "Messages without a reading that can be stored, kept as dead letters"
        );
        refused = meter.CreateCounter<long>(
            "thermal.forwarder.readings.refused",
            "{reading}",
            "Readings that cannot be stored, kept as dead letters; the others of the same message are stored"
        );
        empty = meter.CreateCounter<long>(
            "thermal.forwarder.messages.empty",
            "{message}",
            "Messages without a payload, which delete a retained message; ignored"
        );
        unmapped = meter.CreateCounter<long>(
            "thermal.forwarder.messages.unmapped",
            "{message}",
            "Messages that a subscription brings but no mapping takes; ignored"
        );
        withoutValue = meter.CreateCounter<long>(
            "thermal.forwarder.messages.without_value",
            "{message}",
            "Messages that a mapping takes and that have no value for a reading of this kind; ignored"
        );
        sent = meter.CreateCounter<long>(
            "thermal.forwarder.readings.sent",
            "{reading}",
            "Readings that the destination accepted, repeats after a reopening included"
        );
        committed = meter.CreateCounter<long>(
            "thermal.forwarder.readings.committed",
            "{reading}",
            "Readings sent since the start whose commit was confirmed"
        );
        failures = meter.CreateCounter<long>(
            "thermal.forwarder.failures",
            "{failure}",
            "Calls to the destination that failed, by what they need"
        );
        storing = meter.CreateHistogram<double>(
            "thermal.forwarder.store.duration",
            "s",
            "From the arrival of a group of messages until it is on disk"
        );
        sending = meter.CreateHistogram<double>("thermal.forwarder.send.duration", "s", "Time for the destination to accept a batch");
        committing = meter.CreateHistogram<double>(
            "thermal.forwarder.commit.latency",
            "s",
            "From the first attempt to send a batch until its commit is known"
        );
        // An alert on an increase needs the series before the first event.
        foreach (var counter in new[] { received, duplicates, stored, dead, refused, empty, unmapped, withoutValue, sent, committed })
            counter.Add(0);
        foreach (var failure in Enum.GetValues<SinkFailure>())
            failures.Add(0, Needs(failure));
    }

    public long ReceivedTotal => Interlocked.Read(ref receivedTotal);

    public long DuplicateTotal => Interlocked.Read(ref duplicateTotal);

    public long StoredTotal => Interlocked.Read(ref storedTotal);

    public long SentTotal => Interlocked.Read(ref sentTotal);

    /// <summary>Readings sent since the start whose commit was confirmed.</summary>
    public long CommittedTotal => Interlocked.Read(ref committedTotal);

    /// <summary>Committed readings per second, over the last minute.</summary>
    public double CommittedPerSecond => committedLately.PerSecond;

    /// <summary>Calls to the destination that failed.</summary>
    public long FailedTotal => Interlocked.Read(ref failedTotal);

    /// <summary>The last failed call; null when there was none.</summary>
    public LastFailure? LastFailure => Volatile.Read(ref lastFailure);

    public void Stored(int receivedReadings, int storedReadings, int duplicateReadings, int deadMessages, TimeSpan took)
    {
        received.Add(receivedReadings);
        stored.Add(storedReadings);
        duplicates.Add(duplicateReadings);
        dead.Add(deadMessages);
        storing.Record(took.TotalSeconds);
        Interlocked.Add(ref receivedTotal, receivedReadings);
        Interlocked.Add(ref storedTotal, storedReadings);
        Interlocked.Add(ref duplicateTotal, duplicateReadings);
    }

    public void Refused(int readings) => refused.Add(readings);

    public void Empty() => empty.Add(1);

    public long UnmappedTotal => Interlocked.Read(ref unmappedTotal);

    /// <summary>The topic of the last message that no mapping takes; null when there was none.</summary>
    public string? LastUnmapped => Volatile.Read(ref lastUnmapped);

    /// <summary>Counts a message that no mapping takes.</summary>
    /// <param name="topic">Its topic, which any permitted sender may have chosen.</param>
    public void Unmapped(string topic)
    {
        unmapped.Add(1);
        Interlocked.Increment(ref unmappedTotal);
        Volatile.Write(ref lastUnmapped, topic);
    }

    public void WithoutValue() => withoutValue.Add(1);

    public void Sent(int readings, TimeSpan took)
    {
        sent.Add(readings);
        sending.Record(took.TotalSeconds);
        Interlocked.Add(ref sentTotal, readings);
    }

    /// <summary>A batch was committed.</summary>
    /// <param name="readings">In it.</param>
    /// <param name="took">From the first attempt to send it.</param>
    public void Committed(int readings, TimeSpan took)
    {
        committed.Add(readings);
        committedLately.Add(readings);
        Interlocked.Add(ref committedTotal, readings);
        committing.Record(took.TotalSeconds);
    }

    public void Failed(LastFailure failure)
    {
        failures.Add(1, Needs(failure.Needs));
        Interlocked.Increment(ref failedTotal);
        Volatile.Write(ref lastFailure, failure);
    }

    static KeyValuePair<string, object?> Needs(SinkFailure failure) => new("needs", failure.ToString());
}
