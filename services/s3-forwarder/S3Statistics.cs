using System.Diagnostics.Metrics;
using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>What was uploaded by all slots of this process, and what a day at this rate costs. Thread-safe.</summary>
sealed class S3Statistics
{
    /// <summary>
    /// Snowpipe's price since December 2025, for text formats: credits per GB (10⁹ bytes) before compression; no fee per file.
    /// </summary>
    const double CreditsPerGigabyte = 0.0037;

    /// <summary>S3 Standard, us-east-1: US dollars per PUT request.</summary>
    const double DollarsPerPut = 0.005 / 1000;

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
    readonly Histogram<double> putDuration;
    readonly LastHour lastHour;
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

    public S3Statistics(Meter meter, StatusPage page, TimeProvider clock)
    {
        lastHour = new LastHour(clock);
        objectsCounter = meter.CreateCounter<long>("thermal.s3.objects", "{object}", "Objects uploaded, by destination (data or quarantine)");
        readingsCounter = meter.CreateCounter<long>("thermal.s3.readings", "{reading}", "Readings uploaded, by destination and kind");
        bytesCounter = meter.CreateCounter<long>("thermal.s3.sent", "By", "Bytes of uploaded objects, as sent");
        uncompressedCounter = meter.CreateCounter<long>("thermal.s3.uncompressed", "By", "Bytes of uploaded objects before compression");
        putCounter = meter.CreateCounter<long>("thermal.s3.put_requests", "{request}", "PUT requests, failed ones included");
        alreadyThereCounter = meter.CreateCounter<long>("thermal.s3.already_there", "{object}", "Objects that a repeated upload found in the bucket");
        invalidCounter = meter.CreateCounter<long>("thermal.s3.invalid_readings", "{reading}", "Inverter readings that broke a rule, by rule; a reading that broke two counts in both");
        droppedCounter = meter.CreateCounter<long>("thermal.s3.dropped_readings", "{reading}", "Invalid readings left out because VALIDATION is drop");
        otherDatesCounter = meter.CreateCounter<long>("thermal.s3.other_dates_readings", "{reading}", "Readings filed under other-dates/: their date is implausible, or one of too many in a batch");
        foreignCounter = meter.CreateCounter<long>("thermal.s3.foreign_answers", "{answer}", "Answers that were not the store's: a proxy's, a portal's or a gateway's");
        putDuration = meter.CreateHistogram<double>("thermal.s3.put.duration", "s", "How long an upload took");
        meter.CreateObservableGauge("thermal.s3.estimated_put_requests_per_day", () => lastHour.PerDay().Puts, "{request}", "PUT requests per day at the rate of the last hour");
        meter.CreateObservableGauge("thermal.s3.estimated_bytes_per_day", () => lastHour.PerDay().Bytes, "By", "Bytes loaded per day, before compression, at the rate of the last hour");
        meter.CreateObservableGauge("thermal.s3.estimated_snowpipe_credits_per_day", () => lastHour.PerDay().Bytes / 1e9 * CreditsPerGigabyte, "{credit}", "Snowpipe credits per day at the rate of the last hour");
        page.Add(WriteStatus);
    }

    /// <summary>A batch was classified for the first time.</summary>
    /// <param name="brokenRules">How often each rule was broken.</param>
    /// <param name="readings">How many readings broke at least one.</param>
    /// <param name="left">How many of them are left out.</param>
    public void Validated(IReadOnlyDictionary<string, int> brokenRules, int readings, int left)
    {
        Interlocked.Add(ref invalid, readings);
        Interlocked.Add(ref dropped, left);
        if (left > 0)
            droppedCounter.Add(left);
        foreach (var (rule, count) in brokenRules)
            invalidCounter.Add(count, new KeyValuePair<string, object?>("rule", rule));
    }

    public void FiledUnderOtherDates(int readings)
    {
        Interlocked.Add(ref otherDates, readings);
        otherDatesCounter.Add(readings);
    }

    /// <summary>An answer was not the store's.</summary>
    public void ForeignAnswer() => foreignCounter.Add(1);

    public void Requested()
    {
        Interlocked.Increment(ref puts);
        putCounter.Add(1);
        lastHour.Add(1, 0);
    }

    /// <summary>
    /// An object is in the bucket. Its uncompressed bytes count towards the cost only outside the quarantine, which nothing loads.
    /// </summary>
    public void Uploaded(GroupKey group, int rows, long sentBytes, long uncompressedBytes, TimeSpan took)
    {
        var destination = new KeyValuePair<string, object?>("destination", group.Quarantined ? "quarantine" : "data");
        Interlocked.Increment(ref objects);
        Interlocked.Add(ref group.Quarantined ? ref quarantined : ref readings, rows);
        Interlocked.Add(ref bytes, sentBytes);
        Interlocked.Add(ref uncompressed, uncompressedBytes);
        objectsCounter.Add(1, destination);
        readingsCounter.Add(rows, destination, new KeyValuePair<string, object?>("kind", Topics.Name(group.Kind)));
        bytesCounter.Add(sentBytes);
        uncompressedCounter.Add(uncompressedBytes);
        putDuration.Record(took.TotalSeconds);
        if (!group.Quarantined)
            lastHour.Add(0, uncompressedBytes);
    }

    public void FoundInPlace()
    {
        Interlocked.Increment(ref alreadyThere);
        alreadyThereCounter.Add(1);
    }

    void WriteStatus(Utf8JsonWriter json)
    {
        var day = lastHour.PerDay();
        json.WriteNumber("objects"u8, Interlocked.Read(ref objects));
        json.WriteNumber("uploaded_readings"u8, Interlocked.Read(ref readings));
        json.WriteNumber("quarantined"u8, Interlocked.Read(ref quarantined));
        json.WriteNumber("invalid"u8, Interlocked.Read(ref invalid));
        json.WriteNumber("dropped"u8, Interlocked.Read(ref dropped));
        json.WriteNumber("other_dates"u8, Interlocked.Read(ref otherDates));
        json.WriteNumber("bytes"u8, Interlocked.Read(ref bytes));
        json.WriteNumber("uncompressed_bytes"u8, Interlocked.Read(ref uncompressed));
        json.WriteNumber("put_requests"u8, Interlocked.Read(ref puts));
        json.WriteNumber("already_there"u8, Interlocked.Read(ref alreadyThere));
        json.WriteStartObject("estimate_per_day"u8);
        json.WriteNumber("put_requests"u8, Math.Round(day.Puts));
        json.WriteNumber("put_usd"u8, Math.Round(day.Puts * DollarsPerPut, 4));
        json.WriteNumber("gigabytes"u8, Math.Round(day.Bytes / 1e9, 4));
        json.WriteNumber("snowpipe_credits"u8, Math.Round(day.Bytes / 1e9 * CreditsPerGigabyte, 6));
        json.WriteEndObject();
    }

    /// <summary>Sums of the last 60 minutes, minute by minute.</summary>
    sealed class LastHour(TimeProvider clock)
    {
        readonly Lock gate = new();
        readonly long started = clock.GetTimestamp();
        readonly (long Minute, long Puts, long Bytes)[] minutes = new (long, long, long)[60];

        public void Add(long puts, long bytes)
        {
            lock (gate)
            {
                var minute = Minute();
                ref var entry = ref minutes[minute % minutes.Length];
                if (entry.Minute != minute)
                    entry = (minute, 0, 0);
                entry.Puts += puts;
                entry.Bytes += bytes;
            }
        }

        /// <summary>
        /// What a day like the last hour comes to; like the time since the start while that is shorter, but at least a minute.
        /// </summary>
        public (double Puts, double Bytes) PerDay()
        {
            lock (gate)
            {
                var now = Minute();
                long puts = 0, bytes = 0;
                foreach (var entry in minutes)
                {
                    if (entry.Minute <= now - minutes.Length)
                        continue;
                    puts += entry.Puts;
                    bytes += entry.Bytes;
                }
                var elapsed = Math.Clamp(clock.GetElapsedTime(started).TotalMinutes, 1, minutes.Length);
                var perDay = TimeSpan.FromDays(1).TotalMinutes / elapsed;
                return (puts * perDay, bytes * perDay);
            }
        }

        long Minute() => (long)clock.GetElapsedTime(started).TotalMinutes;
    }
}
