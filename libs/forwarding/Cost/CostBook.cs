using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Counts what is sent and saves it in <see cref="CostDays"/>: once an hour and at the end, and only if something was sent, to spare the
/// card. A kill costs at most the last hour of an estimate. Thread-safe.
/// </summary>
public sealed partial class CostBook : BackgroundService
{
    /// <summary>Files and minutes between batches for the comparison with the other road: the defaults of NUM_FILES and
    /// S3_BATCH_LINGER.</summary>
    internal const int ComparedFiles = 4;

    internal static readonly TimeSpan ComparedLinger = TimeSpan.FromMinutes(1);

    static readonly TimeSpan interval = TimeSpan.FromHours(1);

    readonly CostRoad road;
    readonly CostPrices prices;
    readonly string directory;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Lock gate = new();
    readonly Dictionary<DateOnly, CostFigures> unsaved = [];
    readonly DateTimeOffset started;
    CostDays? saved;
    bool isRefused;

    public CostBook(
        CostRoad road,
        CostPrices prices,
        string directory,
        (Meter Meter, StatusPage Page) figures,
        TimeProvider clock,
        ILogger<CostBook> logger
    )
    {
        (this.road, this.prices, this.directory, this.clock, this.logger) = (road, prices, directory, clock, logger);
        started = clock.GetUtcNow();
        saved = Read();
        figures.Meter.CreateObservableGauge(
            "thermal.cost.credits_per_day",
            () => Report().CreditsPerDay,
            "{credit}",
            "Snowflake credits for loading a day's readings, estimated from what was sent in the last seven days"
        );
        figures.Meter.CreateObservableGauge(
            "thermal.cost.dollars_per_day",
            () => Report().DollarsPerDay,
            "{dollar}",
            "US dollars for loading a day's readings, requests included, estimated from what was sent in the last seven days"
        );
        figures.Page.Add(Write);
    }

    /// <summary>Counts what was sent.</summary>
    public void Add(CostFigures figures)
    {
        var day = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        lock (gate)
            unsaved[day] = unsaved.GetValueOrDefault(day) + figures;
    }

    public double CreditsPerDay(long billedBytes, TimeSpan took) => prices.Credits(road, billedBytes) * (TimeSpan.FromDays(1) / took);

    /// <summary>What the file says, and what is not in it yet.</summary>
    internal CostReport Report()
    {
        lock (gate)
        {
            var before = saved?.Since ?? started;
            IEnumerable<(DateOnly, CostFigures)> days = [.. saved?.Days ?? [], .. unsaved.Select(entry => (entry.Key, entry.Value))];
            return new CostReport(road, prices, new CostDays(before, [.. days]), clock.GetUtcNow());
        }
    }

    /// <summary>Writes the counts to the file. If the disk refuses, they are kept for the next time.</summary>
    internal void Save()
    {
        lock (gate)
        {
            if (unsaved.Count == 0)
                return;
            try
            {
                saved = CostDays.Add(directory, started, unsaved.Select(entry => (entry.Key, entry.Value)));
                unsaved.Clear();
                isRefused = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (!isRefused)
                    LogRefused(directory, e.Message);
                isRefused = true;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Save();
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        Save();
    }

    CostDays? Read()
    {
        try
        {
            return CostDays.Load(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRefused(directory, e.Message);
            return null;
        }
    }

    void Write(Utf8JsonWriter json)
    {
        CostFigures missing;
        lock (gate)
            missing = unsaved.Values.Aggregate(default(CostFigures), (sum, figures) => sum + figures);
        json.WritePropertyName("cost"u8);
        Report().Write(json, missing, ComparedFiles, ComparedLinger);
    }

    [LoggerMessage(
        EventId = 180,
        Level = LogLevel.Warning,
        Message = "The record of what was sent, {Directory}/cost, cannot be written ({Problem}); the cost estimate is incomplete "
            + "until it can. Readings are not affected"
    )]
    partial void LogRefused(string directory, string problem);
}
