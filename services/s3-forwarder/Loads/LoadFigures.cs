using System.Diagnostics.Metrics;
using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>What became of uploaded objects, as metrics and on the status page; counts are since the start. Thread-safe.</summary>
sealed class LoadFigures
{
    readonly TimeProvider clock;
    readonly Counter<long> fileCounter;
    readonly Counter<long> sentCounter;
    readonly Counter<long> loadedCounter;
    readonly Counter<long> errorCounter;
    readonly Histogram<double> lagHistogram;
    readonly Lock gate = new();
    readonly long[] files = new long[Enum.GetValues<LoadState>().Length];
    long rowsSent;
    long rowsLoaded;
    long rowsSettled;
    long givenUp;
    double? lastLag;
    int pending;
    int missed;
    DateTimeOffset? oldest;
    TimeSpan offset;
    UnloadedFile? last;
    DateTimeOffset? askedAt;
    string? problem;

    public LoadFigures(Meter meter, StatusPage page, TimeProvider clock)
    {
        this.clock = clock;
        fileCounter = meter.CreateCounter<long>("thermal.loads.files", "{file}", "Objects that Snowpipe has finished, by outcome");
        sentCounter = meter.CreateCounter<long>("thermal.loads.rows.sent", "{row}", "Rows in uploaded objects that Snowpipe is to load");
        loadedCounter = meter.CreateCounter<long>("thermal.loads.rows.loaded", "{row}", "Rows that Snowpipe says are in the table");
        errorCounter = meter.CreateCounter<long>("thermal.loads.errors", "{error}", "Requests to Snowpipe that failed");
        lagHistogram = meter.CreateHistogram<double>("thermal.loads.lag", "s", "From the upload of an object to its load");
        meter.CreateObservableGauge("thermal.loads.pending", () => Pending, "{file}", "Objects whose load is not known yet");
        meter.CreateObservableGauge(
            "thermal.loads.missed",
            () => Missed,
            "{file}",
            "Pending objects that Snowpipe has not seen for too long"
        );
        meter.CreateObservableGauge(
            "thermal.loads.pending.age",
            () => OldestAge,
            "s",
            "Age of the oldest object whose load is not known yet"
        );
        // From the start, so that an alert sees the first event of each.
        foreach (var state in (LoadState[])[LoadState.Loaded, LoadState.PartiallyLoaded, LoadState.Failed])
            fileCounter.Add(0, new KeyValuePair<string, object?>("state", NameOf(state)));
        page.Add(Write);
    }

    public int Pending
    {
        get
        {
            lock (gate)
                return pending;
        }
    }

    public int Missed
    {
        get
        {
            lock (gate)
                return missed;
        }
    }

    double OldestAge
    {
        get
        {
            lock (gate)
                return oldest is { } at ? Math.Max(0, (clock.GetUtcNow() + offset - at).TotalSeconds) : 0;
        }
    }

    /// <summary>Objects with this many rows were uploaded.</summary>
    public void Sent(long rows)
    {
        sentCounter.Add(rows);
        lock (gate)
            rowsSent += rows;
    }

    /// <summary>Snowpipe is done with an object.</summary>
    public void Settled(WatchedFile file, LoadedFile found)
    {
        fileCounter.Add(1, new KeyValuePair<string, object?>("state", NameOf(found.State)));
        loadedCounter.Add(found.RowsInserted);
        var lag = found.At - file.UploadedAt;
        lock (gate)
        {
            files[(int)found.State]++;
            rowsLoaded += found.RowsInserted;
            rowsSettled += file.Rows;
            if (lag is { } took)
                lastLag = Math.Max(0, took.TotalSeconds);
        }
        if (lag is { } seconds)
            lagHistogram.Record(Math.Max(0, seconds.TotalSeconds));
    }

    /// <summary>The service no longer asks for these objects.</summary>
    public void GaveUp(int count)
    {
        lock (gate)
            givenUp += count;
    }

    /// <summary>Shows the current list.</summary>
    /// <param name="list">The list.</param>
    /// <param name="ahead">How far Snowflake's clock is ahead of this machine's.</param>
    public void Show(LoadList list, TimeSpan ahead)
    {
        lock (gate)
        {
            (pending, missed) = (list.Files.Count, list.Files.Count(file => file.IsMissed));
            oldest = list.Files.Count > 0 ? list.Files.Min(file => file.UploadedAt) : null;
            offset = ahead;
            last = list.Unloaded.Count > 0 ? list.Unloaded[^1] : null;
        }
    }

    /// <summary>Snowpipe was asked.</summary>
    /// <param name="failure">Why the call failed; null if it did not.</param>
    public void Asked(string? failure)
    {
        if (failure is not null)
            errorCounter.Add(1);
        lock (gate)
        {
            problem = failure;
            if (failure is null)
                askedAt = clock.GetUtcNow();
        }
    }

    public static string NameOf(LoadState state) =>
        state switch
        {
            LoadState.Loaded => "loaded",
            LoadState.PartiallyLoaded => "partially_loaded",
            LoadState.Failed => "failed",
            _ => "pending",
        };

    /// <summary>Writes the object <c>loads</c> of the status page.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        var age = OldestAge;
        lock (gate)
        {
            json.WriteStartObject("loads"u8);
            foreach (var state in (LoadState[])[LoadState.Loaded, LoadState.PartiallyLoaded, LoadState.Failed])
                json.WriteNumber(NameOf(state), files[(int)state]);
            json.WriteNumber("pending"u8, pending);
            json.WriteNumber("missed"u8, missed);
            json.WriteNumber("given_up"u8, givenUp);
            json.WriteNumber("oldest_pending_seconds"u8, Math.Round(age));
            json.WriteNumber("rows_sent"u8, rowsSent);
            json.WriteNumber("rows_settled"u8, rowsSettled);
            json.WriteNumber("rows_loaded"u8, rowsLoaded);
            if (lastLag is { } lag)
                json.WriteNumber("last_lag_seconds"u8, Math.Round(lag, 1));
            if (askedAt is { } asked)
                json.WriteString("asked_at"u8, asked);
            if (problem is not null)
                json.WriteString("problem"u8, problem);
            if (last is { } file)
            {
                json.WriteStartObject("last_unloaded"u8);
                Write(json, file);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
    }

    /// <summary>The properties of a file that was not loaded.</summary>
    public static void Write(Utf8JsonWriter json, UnloadedFile file)
    {
        json.WriteString("file"u8, file.Address);
        json.WriteString("at"u8, file.At);
        json.WriteString("state"u8, NameOf(file.State));
        json.WriteNumber("rows"u8, file.Rows);
        json.WriteNumber("rows_inserted"u8, file.RowsInserted);
        json.WriteString("error"u8, file.FirstError);
    }
}
