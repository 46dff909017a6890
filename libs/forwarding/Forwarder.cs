using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>Registers the loop that both forwarders share.</summary>
public static class ForwarderServices
{
    extension(IServiceCollection services)
    {
        /// <summary>Takes in the readings that <paramref name="options"/> subscribe to and delivers them to one sink per slot.</summary>
        public IServiceCollection AddForwarder(ForwarderOptions options, Func<IServiceProvider, SlotContext, IBatchSink> createSink)
            => services
                .AddSingleton(options)
                .AddSingleton<ForwarderMetrics>()
                .AddSingleton<SenderNotes>(provider => new(provider.GetRequiredService<System.Diagnostics.Metrics.Meter>(), provider.GetRequiredService<ILogger<SenderNotes>>()))
                .AddSingleton(provider => new DeadLetters(options.DeadLettersDirectory, options.DeadLettersMaxBytes, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DeadLetters>>()))
                .AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<Forwarder>(provider, (Func<SlotContext, IBatchSink>)(slot => createSink(provider, slot))));
    }
}

/// <summary>
/// Owns the slots of this replica: takes the first free ones at start, and adopts those that nobody has owned for a grace period, so that scaling down
/// strands nothing.
/// </summary>
sealed partial class Forwarder(ForwarderOptions options, Func<SlotContext, IBatchSink> createSink, DeadLetters deadLetters, SenderNotes senders, ForwarderMetrics metrics, Health health,
    StatusPage page, System.Diagnostics.Metrics.Meter meter, TimeProvider clock, ILogger<Forwarder> logger) : BackgroundService
{
    /// <summary>What a stop may take; the host allows 25 s and the container 30 s.</summary>
    static readonly TimeSpan StopBudget = TimeSpan.FromSeconds(20);

    readonly Lock gate = new();
    readonly List<Slot> slots = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var clientIdPrefix = $"{options.ServiceName}-{Prepare(options.DataDirectory)}";
        using var ledger = new Ledger(options.DataDirectory, new SlotJournals(options.DataDirectory), clock, logger);
        AddFigures();

        // One slot's end, other than on request, is the end of the service: the container starts it again, and half a forwarder must not look whole.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var abort = new CancellationTokenSource();
        await using var _ = stop.Token.Register(() => abort.CancelAfter(StopBudget));
        var running = new List<Task>();
        try
        {
            for (var number = 0; running.Count < options.Slots; number++)
            {
                if (SlotDirectory.TryTake(options.DataDirectory, SlotDirectory.NameOf(number), clientIdPrefix) is { } taken)
                    running.Add(RunAsync(taken, ledger, isAdopted: false, stop.Token, abort.Token));
            }
            running.Add(AdoptAsync(ledger, clientIdPrefix, stop.Token, abort.Token));
            await await Task.WhenAny(running);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running);
        }
    }

    /// <returns>The installation's identity.</returns>
    string Prepare(string dataDirectory)
    {
        try
        {
            Directory.CreateDirectory(SlotDirectory.Root(dataDirectory));
            SlotDirectory.FinishRetiring(dataDirectory);
            return options.Installation ?? InstallId.Read(dataDirectory, logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"DATA_DIRECTORY is '{dataDirectory}', which user {Environment.UserName} cannot write ({Settings.Reason(e)}); give that directory to this user, or name another one."]);
        }
    }

    ConfigurationException Unusable(IOException e) => new([$"DATA_DIRECTORY is '{options.DataDirectory}': {e.Message}"]);

    async Task RunAsync(SlotDirectory directory, Ledger ledger, bool isAdopted, CancellationToken stop, CancellationToken abort)
    {
        await using var slot = Open(directory, ledger, isAdopted);
        lock (gate)
            slots.Add(slot);
        try
        {
            LogTaken(slot.Name, isAdopted ? "adopted" : "taken", slot.Journal.NextOffset, slot.Journal.BacklogReadings);
            await slot.RunAsync(stop, abort);
            if (!slot.IsEmpty)
                return;
            await slot.RetireAsync(stop);
            LogRetired(slot.Name);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The ledger could not be used before the stop. The slot is emptied, and retired by its next owner.
        }
        catch (IOException e) when (!isAdopted)
        {
            throw new StoppedException($"{slot.Name}: {e.Message}", e);
        }
        finally
        {
            lock (gate)
                slots.Remove(slot);
        }
    }

    Slot Open(SlotDirectory directory, Ledger ledger, bool isAdopted)
    {
        try
        {
            return Slot.Open(directory, options, ledger, deadLetters, createSink, isAdopted, senders, health, metrics, clock, logger);
        }
        catch (IOException e) when (!isAdopted)
        {
            directory.Dispose();
            throw Unusable(e);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Watches for slots without an owner. One is adopted at a time.</summary>
    async Task AdoptAsync(Ledger ledger, string clientIdPrefix, CancellationToken stop, CancellationToken abort)
    {
        var freeSince = new Dictionary<string, long>(StringComparer.Ordinal);
        var retired = new RetiredSessions(options, clientIdPrefix, clock, logger);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.SlotAdoptionGrace / 10, clock, stop);
                await retired.CheckAsync(Sum(slot => slot.IsAdopted ? 0 : slot.Connections), stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogNotAsked(e.Message);
            }
            foreach (var name in SlotDirectory.Names(options.DataDirectory))
            {
                using var taken = SlotDirectory.TryTake(options.DataDirectory, name, clientIdPrefix);
                if (taken is null)
                {
                    freeSince.Remove(name);
                    continue;
                }
                if (freeSince.TryAdd(name, clock.GetTimestamp()) || clock.GetElapsedTime(freeSince[name]) < options.SlotAdoptionGrace)
                    continue;
                freeSince.Remove(name);
                try
                {
                    await RunAsync(taken, ledger, isAdopted: true, stop, abort);
                }
                catch (IOException e)
                {
                    LogNotAdopted(name, e.Message);
                }
            }
        }
    }

    void AddFigures()
    {
        meter.CreateObservableGauge("thermal.forwarder.backlog.readings", () => Sum(slot => slot.Journal.BacklogReadings), "{reading}", "Readings in the journals that are not committed");
        meter.CreateObservableGauge("thermal.forwarder.journal", () => Sum(slot => slot.Journal.SizeBytes), "By", "Size of the journals");
        meter.CreateObservableGauge("thermal.forwarder.lag", Lag, "s", "Age of the oldest reading that is not committed");
        meter.CreateObservableGauge("thermal.forwarder.slots", () => Sum(_ => 1), "{slot}", "Slots this replica owns, adopted ones included");
        meter.CreateObservableCounter("thermal.forwarder.fsyncs", () => Sum(slot => slot.Journal.Flushes), "{call}", "fsync calls of the journals");
        meter.CreateObservableCounter("thermal.forwarder.disk.written", () => Sum(slot => slot.Journal.BytesWritten), "By", "Bytes written to the journals");
        meter.CreateObservableGauge("thermal.forwarder.journal.lost", () => Sum(slot => slot.Journal.LostReadings), "{reading}", "Readings that damage to the journals has cost");
        page.Add(Write);
        page.Add(senders.Write);
    }

    void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("readings_in"u8, metrics.ReceivedTotal);
        json.WriteNumber("stored"u8, metrics.StoredTotal);
        json.WriteNumber("duplicates"u8, metrics.DuplicateTotal);
        json.WriteNumber("dead_letters"u8, deadLetters.Count);
        json.WriteNumber("sent"u8, metrics.SentTotal);
        json.WriteNumber("backlog"u8, Sum(slot => slot.Journal.BacklogReadings));
        json.WriteNumber("lag_seconds"u8, Math.Round(Lag(), 1));
        json.WriteNumber("journal_bytes"u8, Sum(slot => slot.Journal.SizeBytes));
        json.WriteStartArray("slots"u8);
        lock (gate)
        {
            foreach (var slot in slots)
                json.WriteStringValue(slot.Name);
        }
        json.WriteEndArray();
    }

    long Sum(Func<Slot, long> figure)
    {
        lock (gate)
            return slots.Sum(figure);
    }

    double Lag()
    {
        lock (gate)
            return slots.Select(slot => slot.Journal.OldestUncommittedAge?.TotalSeconds ?? 0).DefaultIfEmpty().Max();
    }

    [LoggerMessage(EventId = 140, Level = LogLevel.Information, Message = "{Slot} {How}: journal at offset {Offset}, {Backlog} readings to deliver")]
    partial void LogTaken(string slot, string how, long offset, long backlog);

    [LoggerMessage(EventId = 141, Level = LogLevel.Information, Message = "{Slot} retired: everything it held is committed and the broker holds nothing for it")]
    partial void LogRetired(string slot);

    [LoggerMessage(EventId = 144, Level = LogLevel.Warning, Message = "Whether the broker has sessions of retired slots cannot be found out: {Reason}")]
    partial void LogNotAsked(string reason);

    [LoggerMessage(EventId = 142, Level = LogLevel.Warning, Message = "{Slot} has no owner and could not be adopted: {Reason}")]
    partial void LogNotAdopted(string slot, string reason);
}
