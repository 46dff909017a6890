using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Uploads of all slots of this process. Thread-safe.</summary>
sealed class S3Statistics
{
    readonly Counter<long> objectsCounter;
    readonly Counter<long> readingsCounter;
    readonly Counter<long> bytesCounter;
    readonly Counter<long> uncompressedCounter;
    readonly Counter<long> putCounter;
    readonly Counter<long> alreadyThereCounter;
    readonly Counter<long> invalidCounter;
    readonly Counter<long> droppedCounter;
    readonly Counter<long> otherDatesCounter;
    readonly Counter<long> foreignCounter;
    readonly ConcurrentDictionary<string, long> broken = new(StringComparer.Ordinal);
    readonly CostBook cost;
    long objects;
    long readings;
    long quarantined;
    long dropped;
    long otherDates;
    long invalid;
    long bytes;
    long uncompressed;
    long puts;
    long alreadyThere;

    public S3Statistics(Meter meter, StatusPage page, CostBook cost)
    {
        this.cost = cost;
        objectsCounter = meter.CreateCounter<long>(
            "thermal.s3.objects",
            "{object}",
            "Objects uploaded, by destination (data or quarantine)"
        );
        readingsCounter = meter.CreateCounter<long>("thermal.s3.readings", "{reading}", "Readings uploaded, by destination and kind");
        bytesCounter = meter.CreateCounter<long>("thermal.s3.sent", "By", "Bytes of uploaded objects, as sent");
        uncompressedCounter = meter.CreateCounter<long>("thermal.s3.uncompressed", "By", "Bytes of uploaded objects before compression");
        putCounter = meter.CreateCounter<long>("thermal.s3.put_requests", "{request}", "PUT requests, failed ones included");
        alreadyThereCounter = meter.CreateCounter<long>(
            "thermal.s3.already_there",
            "{object}",
            "Objects that a repeated upload found in the bucket"
        );
        invalidCounter = meter.CreateCounter<long>(
            "thermal.s3.invalid_readings",
            "{reading}",
            "Readings that broke a rule, by rule; a reading that broke two counts in both"
        );
        droppedCounter = meter.CreateCounter<long>(
            "thermal.s3.dropped_readings",
            "{reading}",
            "Invalid readings left out because VALIDATION is drop"
        );
        otherDatesCounter = meter.CreateCounter<long>(
            "thermal.s3.other_dates_readings",
            "{reading}",
            "Readings filed under other-dates/: their date is implausible, one of too many in a batch, or an old one with few readings"
        );
        foreignCounter = meter.CreateCounter<long>(
            "thermal.s3.foreign_answers",
            "{answer}",
            "Answers that came from a proxy, a portal or a gateway instead of the store"
        );
        // An alert on an increase needs the series to exist before the first event.
        foreach (
            var counter in new[]
            {
                bytesCounter,
                uncompressedCounter,
                putCounter,
                alreadyThereCounter,
                droppedCounter,
                otherDatesCounter,
                foreignCounter,
            }
        )
            counter.Add(0);
        foreach (var isQuarantined in new[] { false, true })
            objectsCounter.Add(0, Destination(isQuarantined));
        page.Add(WriteStatus);
    }

    /// <summary>A batch was planned, and the plan is on disk.</summary>
    /// <param name="brokenRules">How often each rule was broken.</param>
    /// <param name="readings">How many readings broke at least one rule.</param>
    /// <param name="left">How many of them are left out.</param>
    public void Validated(IReadOnlyDictionary<string, int> brokenRules, int readings, int left)
    {
        Interlocked.Add(ref invalid, readings);
        Interlocked.Add(ref dropped, left);
        if (left > 0)
            droppedCounter.Add(left);
        foreach (var (rule, count) in brokenRules)
        {
            broken.AddOrUpdate(rule, count, (_, sum) => sum + count);
            invalidCounter.Add(count, new KeyValuePair<string, object?>("rule", rule));
        }
    }

    public void FiledUnderOtherDates(int readings)
    {
        Interlocked.Add(ref otherDates, readings);
        otherDatesCounter.Add(readings);
    }

    /// <summary>An answer did not come from the store.</summary>
    public void ForeignAnswer() => foreignCounter.Add(1);

    public void Requested()
    {
        Interlocked.Increment(ref puts);
        putCounter.Add(1);
        cost.Add(new CostFigures { Requests = 1 });
    }

    /// <summary>
    /// An object is in the bucket. Its uncompressed bytes count towards the cost only outside the quarantine, which nothing loads.
    /// </summary>
    public void Uploaded(GroupKey group, int rows, long sentBytes, long uncompressedBytes)
    {
        var destination = Destination(group.Quarantined);
        Interlocked.Increment(ref objects);
        Interlocked.Add(ref group.Quarantined ? ref quarantined : ref readings, rows);
        Interlocked.Add(ref bytes, sentBytes);
        Interlocked.Add(ref uncompressed, uncompressedBytes);
        objectsCounter.Add(1, destination);
        readingsCounter.Add(rows, destination, new KeyValuePair<string, object?>("kind", Topics.Name(group.Kind)));
        bytesCounter.Add(sentBytes);
        uncompressedCounter.Add(uncompressedBytes);
        // Quarantined objects cause no notification, and nothing loads them.
        var (messages, billed) = group.Quarantined ? (0, 0L) : (1, uncompressedBytes);
        cost.Add(new CostFigures(rows, 0, 1, messages, sentBytes, billed));
    }

    public void FoundInPlace()
    {
        Interlocked.Increment(ref alreadyThere);
        alreadyThereCounter.Add(1);
    }

    static KeyValuePair<string, object?> Destination(bool isQuarantined) => new("destination", isQuarantined ? "quarantine" : "data");

    void WriteStatus(Utf8JsonWriter json)
    {
        json.WriteNumber("objects"u8, Interlocked.Read(ref objects));
        json.WriteNumber("uploaded_readings"u8, Interlocked.Read(ref readings));
        json.WriteNumber("quarantined"u8, Interlocked.Read(ref quarantined));
        json.WriteNumber("invalid"u8, Interlocked.Read(ref invalid));
        json.WriteStartObject("broken_rules"u8);
        foreach (var (rule, count) in broken.OrderByDescending(rule => rule.Value).ThenBy(rule => rule.Key, StringComparer.Ordinal))
            json.WriteNumber(rule, count);
        json.WriteEndObject();
        json.WriteNumber("dropped"u8, Interlocked.Read(ref dropped));
        json.WriteNumber("other_dates"u8, Interlocked.Read(ref otherDates));
        json.WriteNumber("bytes"u8, Interlocked.Read(ref bytes));
        json.WriteNumber("uncompressed_bytes"u8, Interlocked.Read(ref uncompressed));
        json.WriteNumber("put_requests"u8, Interlocked.Read(ref puts));
        json.WriteNumber("already_there"u8, Interlocked.Read(ref alreadyThere));
    }
}
