using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

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

    /// <summary>How long a journal that the device does not give back is waited for before what cannot be read of it is stepped over.</summary>
    static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(30);

    readonly Lock gate = new();
    readonly List<Slot> slots = [];
    readonly Persistently persistently = new(health, clock, logger);
    readonly ConcurrentDictionary<string, long> unreadableSince = new(StringComparer.Ordinal);

    // The adoption loop's own.
    readonly HashSet<string> keptForRecovery = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        AddFigures();
        // One slot's end, other than on request, is the end of the service: the container starts it again, and half a forwarder must not look whole.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var abort = new CancellationTokenSource();
        await using var _ = stop.Token.Register(() => abort.CancelAfter(StopBudget));
        try
        {
            var clientIdPrefix = $"{options.ServiceName}-{await PrepareAsync(stop.Token)}";
            using var ledger = new Ledger(options.DataDirectory, new SlotJournals(options.DataDirectory), clock, logger);
            AddFigures(ledger);
            var running = new List<Task>();
            try
            {
                while (running.Count < options.Slots)
                    running.Add(OwnAsync(ledger, clientIdPrefix, stop.Token, abort.Token));
                running.Add(AdoptAsync(ledger, clientIdPrefix, stop.Token, abort.Token));
                await await Task.WhenAny(running);
            }
            finally
            {
                await stop.CancelAsync();
                await Task.WhenAll(running);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to stop while the disk was waited for.
        }
    }

    /// <returns>The installation's identity.</returns>
    Task<string> PrepareAsync(CancellationToken stop) => persistently.DoAsync("data directory", () =>
    {
        Directory.CreateDirectory(SlotDirectory.Root(options.DataDirectory));
        SlotDirectory.FinishRetiring(options.DataDirectory);
        return options.Installation ?? InstallId.Read(options.DataDirectory, logger);
    }, e => new ConfigurationException([
        $"DATA_DIRECTORY is '{options.DataDirectory}', which user {Environment.UserName} cannot write ({Settings.Reason(e)}); give that directory to this user, "
        + "or name another one."]), stop);

    ConfigurationException Unusable(Exception e) => new([$"DATA_DIRECTORY is '{options.DataDirectory}': {e.Message}"]);

    /// <summary>Owns a slot. While its disk does not let it be used, it is tried again; what else ends it ends the service.</summary>
    async Task OwnAsync(Ledger ledger, string clientIdPrefix, CancellationToken stop, CancellationToken abort)
    {
        string? failing = null, failed = null;
        var hasOpened = false;
        while (!stop.IsCancellationRequested)
        {
            var taken = await persistently.DoAsync("slots", () => TakeFirstFree(clientIdPrefix), Unusable, stop);
            var name = taken.Name;
            if (failed is not null && failed != name)
                health.Forget($"journal {failed}");
            try
            {
                var slot = Open(taken, ledger, isAdopted: false);
                (hasOpened, failing) = (true, null);
                await RunAsync(slot, stop, abort);
                return;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                if (!hasOpened && failing is null && DiskError.IsSetting(e))
                    throw Unusable(e);
                if (failing != e.Message)
                    LogNotUsed(name, e.Message);
                (failing, failed) = (e.Message, name);
                health.Unwell($"journal {name}", $"{e.Message.TrimEnd('.')}. It is tried again every second.");
            }
            await persistently.PauseAsync(stop);
        }
    }

    SlotDirectory TakeFirstFree(string clientIdPrefix)
    {
        for (var number = 0; ; number++)
        {
            if (SlotDirectory.TryTake(options.DataDirectory, SlotDirectory.NameOf(number), clientIdPrefix) is { } taken)
                return taken;
        }
    }

    async Task RunAsync(Slot opened, CancellationToken stop, CancellationToken abort)
    {
        await using var slot = opened;
        lock (gate)
            slots.Add(slot);
        try
        {
            LogTaken(slot.Name, slot.IsAdopted ? "adopted" : "taken", slot.Journal.NextOffset, slot.Journal.BacklogReadings);
            await slot.RunAsync(stop, abort);
            if (!slot.IsEmpty)
                return;
            if (slot.Journal.QuarantinedFiles > 0)
            {
                LogKept(slot.Name, slot.Journal.QuarantinedFiles);
                keptForRecovery.Add(slot.Name);
                return;
            }
            await slot.RetireAsync(stop);
            LogRetired(slot.Name);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The ledger could not be used before the stop. The slot is emptied, and retired by its next owner.
        }
        finally
        {
            lock (gate)
                slots.Remove(slot);
        }
    }

    /// <exception cref="IOException">The journal cannot be used now.</exception>
    Slot Open(SlotDirectory directory, Ledger ledger, bool isAdopted)
    {
        // For bytes that the device does not give back: after a while they are stepped over.
        var skipUnreadable = unreadableSince.TryGetValue(directory.Name, out var since) && clock.GetElapsedTime(since) >= ReadPatience;
        try
        {
            var slot = Slot.Open(directory, options, ledger, deadLetters, createSink, isAdopted, skipUnreadable, senders, health, metrics, clock, logger);
            unreadableSince.TryRemove(directory.Name, out _);
            return slot;
        }
        catch (Exception e)
        {
            if (DiskError.IsMedium(e))
                unreadableSince.TryAdd(directory.Name, clock.GetTimestamp());
            else
                unreadableSince.TryRemove(directory.Name, out _);
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Watches for slots without an owner. One is adopted at a time.</summary>
    async Task AdoptAsync(Ledger ledger, string clientIdPrefix, CancellationToken stop, CancellationToken abort)
    {
        const string part = "adoption";
        var freeSince = new Dictionary<string, long>(StringComparer.Ordinal);
        var retired = new RetiredSessions(options, clientIdPrefix, clock, logger);
        string? failing = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.SlotAdoptionGrace / 10, clock, stop);
                await CheckRetiredAsync(retired, stop);
                foreach (var name in SlotDirectory.Names(options.DataDirectory))
                    await AdoptAsync(name, freeSince, ledger, clientIdPrefix, stop, abort);
                if (failing is not null)
                    health.Forget(part);
                failing = null;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                // A full or read-only disk, too many open files: this replica's own slots go on.
                if (failing != e.Message)
                    LogNotWatched(e.Message);
                failing = e.Message;
                health.Unwell(part, $"slots without an owner cannot be looked for: {e.Message}");
            }
        }
    }

    async Task CheckRetiredAsync(RetiredSessions retired, CancellationToken stop)
    {
        try
        {
            await retired.CheckAsync(Sum(slot => slot.IsAdopted ? 0 : slot.Connections), stop);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogNotAsked(e.Message);
        }
    }

    async Task AdoptAsync(string name, Dictionary<string, long> freeSince, Ledger ledger, string clientIdPrefix, CancellationToken stop, CancellationToken abort)
    {
        using var taken = SlotDirectory.TryTake(options.DataDirectory, name, clientIdPrefix);
        if (taken is null)
        {
            freeSince.Remove(name);
            return;
        }
        if (keptForRecovery.Contains(name) && Quarantine.Count(taken.JournalPath) > 0)
            return;
        if (freeSince.TryAdd(name, clock.GetTimestamp()) || clock.GetElapsedTime(freeSince[name]) < options.SlotAdoptionGrace)
            return;
        freeSince.Remove(name);
        try
        {
            var slot = Open(taken, ledger, isAdopted: true);
            await RunAsync(slot, stop, abort);
            health.Forget($"slot {name}");
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogNotAdopted(name, e.Message);
            health.Unwell($"slot {name}", $"it has no owner and cannot be adopted: {e.Message.TrimEnd('.')}. It is tried again.");
        }
    }

    void AddFigures(Ledger ledger)
    {
        meter.CreateObservableCounter("thermal.forwarder.ledger.forgotten", () => ledger.ForgottenStreams, "{stream}",
            "Streams (device, boot id and kind) that the ledger has forgotten to stay within its bounds; their readings are stored again if they arrive again");
        page.Add(json => json.WriteNumber("streams_forgotten"u8, ledger.ForgottenStreams));
    }

    void AddFigures()
    {
        meter.CreateObservableGauge("thermal.forwarder.backlog.readings", () => Sum(slot => slot.Journal.BacklogReadings), "{reading}", "Readings in the journals that are not committed");
        meter.CreateObservableGauge("thermal.forwarder.journal", () => Sum(slot => slot.Journal.SizeBytes), "By", "Size of the journals");
        meter.CreateObservableGauge("thermal.forwarder.lag", Lag, "s", "Age of the oldest reading that is not committed");
        meter.CreateObservableGauge("thermal.forwarder.slots", () => Sum(_ => 1), "{slot}", "Slots this replica owns, adopted ones included");
        meter.CreateObservableCounter("thermal.forwarder.fsyncs", () => Sum(slot => slot.Journal.Flushes), "{call}", "fsync calls of the journals");
        meter.CreateObservableCounter("thermal.forwarder.disk.written", () => Sum(slot => slot.Journal.BytesWritten), "By", "Bytes written to the journals");
        meter.CreateObservableGauge("thermal.forwarder.journal.lost", () => Sum(slot => slot.Journal.LostReadings), "{reading}", "Readings that damage to the journals has cost, in their life, and that were not recovered");
        meter.CreateObservableGauge("thermal.forwarder.journal.damaged", () => Sum(slot => slot.Journal.DamagedPlaces), "{place}", "Damaged places found in the journals, in their life");
        meter.CreateObservableCounter("thermal.forwarder.dead_letters.deleted", DeletedLetters, "{letter}",
            "Dead letters that were deleted because their origin exceeded its half of DEAD_LETTERS_MAX_BYTES, by origin");
        page.Add(Write);
        page.Add(senders.Write);
    }

    IEnumerable<System.Diagnostics.Metrics.Measurement<long>> DeletedLetters()
        => Enum.GetValues<DeadLetterOrigin>().Select(origin => new System.Diagnostics.Metrics.Measurement<long>(
            deadLetters.Deleted(origin), new KeyValuePair<string, object?>("origin", DeadLetterOwner.NameOf(origin))));

    void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("readings_in"u8, metrics.ReceivedTotal);
        json.WriteNumber("stored"u8, metrics.StoredTotal);
        json.WriteNumber("duplicates"u8, metrics.DuplicateTotal);
        json.WriteNumber("dead_letters"u8, deadLetters.Count);
        json.WriteNumber("dead_letters_deleted_unread"u8, deadLetters.Deleted(DeadLetterOrigin.Unread));
        json.WriteNumber("dead_letters_deleted_refused"u8, deadLetters.Deleted(DeadLetterOrigin.Refused));
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

    [LoggerMessage(EventId = 148, Level = LogLevel.Error, Message = "{Slot} cannot be used: {Reason}. It is tried again every second")]
    partial void LogNotUsed(string slot, string reason);

    [LoggerMessage(EventId = 149, Level = LogLevel.Error, Message = "Slots without an owner cannot be looked for: {Reason}. It is tried again; this replica's own slots are not affected")]
    partial void LogNotWatched(string reason);

    [LoggerMessage(EventId = 150, Level = LogLevel.Warning, Message =
        "{Slot} is emptied and has no owner, but is kept: its quarantine/ has {Files} files of damaged data. Stop the service and run 'journal recover', or delete them")]
    partial void LogKept(string slot, int files);
}
