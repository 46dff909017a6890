using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Rows sent, committed and refused, over all channels of the process, for a periodic log line, metrics and the status page. Thread-safe.
/// </summary>
sealed partial class SnowpipeStatistics : BackgroundService
{
    readonly CostBook cost;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly TimeSpan interval;
    readonly Lock gate = new();
    readonly ConcurrentDictionary<string, string> channels = new(StringComparer.Ordinal);
    readonly double[] latencies = new double[1024];
    readonly Counter<long> rows,
        committedRows,
        wire,
        plain,
        appends,
        errors,
        rowErrors,
        broken,
        dropped,
        missing,
        reopenings;
    Figures total;
    int latencyCount;

    public SnowpipeStatistics(
        SnowpipeOptions options,
        Meter meter,
        StatusPage page,
        CostBook cost,
        TimeProvider clock,
        ILogger<SnowpipeStatistics> logger
    )
    {
        this.cost = cost;
        this.clock = clock;
        this.logger = logger;
        interval = options.StatisticsInterval;
        rows = meter.CreateCounter<long>(
            "thermal.snowpipe.rows.appended",
            "{row}",
            "Rows that an append accepted, repeats after a reopening included"
        );
        committedRows = meter.CreateCounter<long>(
            "thermal.snowpipe.rows.committed",
            "{row}",
            "Rows that the channel status says are in the table"
        );
        wire = meter.CreateCounter<long>("thermal.snowpipe.sent", "By", "Compressed bytes of accepted appends");
        plain = meter.CreateCounter<long>(
            "thermal.snowpipe.uncompressed",
            "By",
            "Bytes of accepted appends before compression, which Snowflake bills"
        );
        appends = meter.CreateCounter<long>("thermal.snowpipe.appends", "{append}", "Accepted appends");
        errors = meter.CreateCounter<long>(
            "thermal.snowpipe.errors",
            "{error}",
            "Calls that Snowflake did not answer with success, by code"
        );
        rowErrors = meter.CreateCounter<long>(
            "thermal.snowpipe.rows.refused",
            "{row}",
            "Rows that Snowflake refused after accepting the append, and rows kept back because they are too large to send"
        );
        broken = meter.CreateCounter<long>(
            "thermal.snowpipe.invalid_readings",
            "{reading}",
            "Readings that broke a rule, by rule; readings that came again, and rows that were made again after a reopening, count again"
        );
        dropped = meter.CreateCounter<long>(
            "thermal.snowpipe.dropped_readings",
            "{reading}",
            "Readings left out because they broke a rule and THERMAL_VALIDATION is drop"
        );
        missing = meter.CreateCounter<long>(
            "thermal.snowpipe.rows.missing",
            "{row}",
            "Rows that are committed but that Snowflake counts neither as inserted nor as refused"
        );
        reopenings = meter.CreateCounter<long>("thermal.snowpipe.reopenings", "{open}", "Times a channel had to be opened again");
        // An alert on an increase needs the series to exist before the first event.
        foreach (var counter in new[] { rows, committedRows, wire, plain, appends, rowErrors, dropped, missing, reopenings })
            counter.Add(0);
        page.Add(Write);
    }

    public void Opened(string slot, string channel) => channels[slot] = channel;

    public void Closed(string slot) => channels.TryRemove(slot, out _);

    public void Appended(in RowPart part)
    {
        rows.Add(part.Rows);
        wire.Add(part.Body.Length);
        plain.Add(part.UncompressedBytes);
        appends.Add(1);
        cost.Add(new CostFigures(part.Rows, 1, 0, 0, part.Body.Length, part.UncompressedBytes));
        lock (gate)
        {
            total.Rows += part.Rows;
            total.Appends++;
            total.WireBytes += part.Body.Length;
            total.PlainBytes += part.UncompressedBytes;
        }
    }

    public void Committed(int count, TimeSpan latency)
    {
        committedRows.Add(count);
        lock (gate)
        {
            total.CommittedRows += count;
            latencies[latencyCount++ % latencies.Length] = latency.TotalSeconds;
        }
    }

    public void Failed(SnowflakeError error)
    {
        errors.Add(
            1,
            new KeyValuePair<string, object?>(
                "code",
                SnowflakeExplanations.IsKnown(error.Code) ? error.Code
                    : error.Status is { } status ? ((int)status).ToString(CultureInfo.InvariantCulture)
                    : "none"
            )
        );
        lock (gate)
            total.Errors++;
    }

    public void RowErrors(long count)
    {
        rowErrors.Add(count);
        lock (gate)
            total.RowErrors += count;
    }

    public void Missing(long count)
    {
        missing.Add(count);
        lock (gate)
            total.Missing += count;
    }

    /// <summary>A reading broke a rule.</summary>
    public void Broken(string rule) => broken.Add(1, new KeyValuePair<string, object?>("rule", rule));

    /// <summary>Readings were left out because they broke a rule.</summary>
    public void Dropped(int count) => dropped.Add(count);

    public void Refused(int count)
    {
        if (count > 0)
            RowErrors(count);
    }

    public void Reopening()
    {
        reopenings.Add(1);
        lock (gate)
            total.Reopenings++;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (before, at) = (Snapshot(), clock.GetTimestamp());
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var (now, seen) = (Snapshot(), clock.GetTimestamp());
                Report(now, before, clock.GetElapsedTime(at, seen));
                (before, at) = (now, seen);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    /// <summary>Logs one line: the work since <paramref name="before"/>, and the current state.</summary>
    internal void Report(in Figures now, in Figures before, TimeSpan took)
    {
        if (!logger.IsEnabled(LogLevel.Information))
            return;
        var (backlog, lag) = ReadForwarder();
        var (p50, p95) = Percentiles();
        var sent = now.Rows - before.Rows;
        var (wireBytes, plainBytes) = (now.WireBytes - before.WireBytes, now.PlainBytes - before.PlainBytes);
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{sent} rows ({sent / took.TotalSeconds:0.#}/s) in {now.Appends - before.Appends} batches, {wireBytes} bytes sent "
                + $"({Ratio(plainBytes, wireBytes):0.0}:1), {now.CommittedRows - before.CommittedRows} rows committed, "
                + $"{now.Errors - before.Errors} errors, {now.RowErrors - before.RowErrors} rows refused; backlog {backlog:0} readings, "
                + $"lag {lag:0.0} s; commit p50 {p50:0.0} s, p95 {p95:0.0} s; about {cost.CreditsPerDay(plainBytes, took):0.######} credits/day"
        );
        LogStatistics(line);
    }

    internal Figures Snapshot()
    {
        lock (gate)
            return total;
    }

    static double Ratio(long plainBytes, long wireBytes) => wireBytes == 0 ? 1 : (double)plainBytes / wireBytes;

    (double P50, double P95) Percentiles()
    {
        double[] sorted;
        lock (gate)
            sorted = latencies[..Math.Min(latencyCount, latencies.Length)];
        Array.Sort(sorted);
        return sorted.Length == 0 ? (0, 0) : (sorted[(sorted.Length - 1) / 2], sorted[(int)((sorted.Length - 1) * 0.95)]);
    }

    // The forwarder's own gauges know how much waits in the journals.
    static (double Backlog, double Lag) ReadForwarder()
    {
        double backlog = 0,
            lag = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (
                instrument.Meter.Name == PrometheusText.MeterName
                && instrument.Name is "thermal.forwarder.backlog.readings" or "thermal.forwarder.lag"
            )
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Take(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Take(instrument, value));
        listener.Start();
        listener.RecordObservableInstruments();
        return (backlog, lag);

        void Take(Instrument instrument, double value)
        {
            if (instrument.Name.EndsWith("lag", StringComparison.Ordinal))
                lag = value;
            else
                backlog = value;
        }
    }

    void Write(Utf8JsonWriter json)
    {
        var figures = Snapshot();
        var (p50, p95) = Percentiles();
        json.WriteString("channel"u8, string.Join(", ", channels.Values.Order(StringComparer.Ordinal)));
        json.WriteNumber("appended"u8, figures.Rows);
        json.WriteNumber("committed"u8, figures.CommittedRows);
        json.WriteNumber("batches"u8, figures.Appends);
        json.WriteNumber("bytes_sent"u8, figures.WireBytes);
        json.WriteNumber("bytes_uncompressed"u8, figures.PlainBytes);
        json.WriteNumber("errors"u8, figures.Errors);
        json.WriteNumber("row_errors"u8, figures.RowErrors);
        json.WriteNumber("rows_missing"u8, figures.Missing);
        json.WriteNumber("reopenings"u8, figures.Reopenings);
        json.WriteNumber("commit_seconds_p50"u8, Math.Round(p50, 2));
        json.WriteNumber("commit_seconds_p95"u8, Math.Round(p95, 2));
    }

    /// <summary>Counts since the start of the process.</summary>
    internal struct Figures
    {
        public long Rows,
            CommittedRows,
            Appends,
            WireBytes,
            PlainBytes,
            Errors,
            RowErrors,
            Missing,
            Reopenings;
    }

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "{Statistics}")]
    partial void LogStatistics(string statistics);
}
