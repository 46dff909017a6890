using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Owns the slots of this replica: takes the first free slots at start, and adopts slots that had no owner for a grace period, so that
/// scaling down strands nothing.
/// </summary>
sealed partial class Forwarder : BackgroundService
{
    /// <summary>How long a stop may take; the host allows 25 s and the container 30 s.</summary>
    static readonly TimeSpan StopBudget = TimeSpan.FromSeconds(20);

    readonly SlotServices services;
    readonly ForwarderOptions options;
    readonly Health health;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly OwnedSlots slots;
    readonly ForwarderFigures figures;
    readonly UnreadableSince unreadable;

    // Only the adoption loop uses it.
    readonly HashSet<string> keptForRecovery = new(StringComparer.Ordinal);

    /// <param name="services">The services that all slots share.</param>
    /// <param name="page">The status page.</param>
    /// <param name="meter">For the figures.</param>
    public Forwarder(SlotServices services, StatusPage page, System.Diagnostics.Metrics.Meter meter)
    {
        this.services = services;
        options = services.Options;
        slots = services.Slots;
        health = services.Health;
        clock = services.Clock;
        unreadable = new UnreadableSince(clock);
        logger = services.Logger;
        figures = new ForwarderFigures(slots, services, page, meter);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        figures.Publish();
        // If one slot ends other than on request, the service ends: the container restarts it, and half a forwarder must not look whole.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var abort = new CancellationTokenSource();
        await using var _ = stop.Token.Register(() => abort.CancelAfter(StopBudget));
        try
        {
            var clientIdPrefix = $"{options.ServiceName}-{await PrepareAsync(stop.Token)}";
            using var ledger = new Ledger(
                options.DataDirectory,
                new SlotJournals(options.DataDirectory),
                clock,
                logger,
                maxBytes: options.LedgerMaxBytes
            );
            figures.Publish(ledger);
            var slots = new SlotPool(services, (end, endNow) => OwnAsync(ledger, clientIdPrefix, end, endNow), StopBudget);
            Task[] running = [slots.RunAsync(stop.Token, abort.Token), AdoptAsync(ledger, clientIdPrefix, stop.Token, abort.Token)];
            try
            {
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
            // Asked to stop while waiting for the disk.
        }
    }

    /// <returns>The installation's identity.</returns>
    Task<string> PrepareAsync(CancellationToken stop) =>
        Retrying(
                "data directory",
                e => new ConfigurationException([
                    $"DATA_DIRECTORY is '{options.DataDirectory}', which user {Environment.UserName} cannot write ({Settings.Reason(e)}); "
                        + "give that directory to this user, "
                        + "or name another one.",
                ])
            )
            .DoAsync(
                () =>
                {
                    DataFormat.Check(options.DataDirectory);
                    Directory.CreateDirectory(SlotDirectory.Root(options.DataDirectory));
                    SlotDirectory.FinishRetiring(options.DataDirectory);
                    new DeadLetterReplay(options.DeadLettersDirectory, clock).RecoverIfFree();
                    return ValueTask.FromResult(options.Installation ?? InstallId.Read(options.DataDirectory, logger));
                },
                stop
            );

    Persistently Retrying(string part, Func<Exception, Exception> toSettingError) =>
        new(part, health, clock) { OnRefused = reason => LogRefused(part, reason), ToSettingError = toSettingError };

    ConfigurationException Unusable(Exception e) => new([$"DATA_DIRECTORY is '{options.DataDirectory}': {e.Message}"]);

    /// <summary>
    /// Owns a slot. Retries while the disk does not let the slot be used; anything else that ends the slot ends the service.
    /// </summary>
    async Task OwnAsync(Ledger ledger, string clientIdPrefix, CancellationToken stop, CancellationToken abort)
    {
        string? failing = null,
            failed = null;
        var hasOpened = false;
        var takeSlot = Retrying("slots", Unusable);
        while (!stop.IsCancellationRequested)
        {
            var taken = await takeSlot.DoAsync(() => ValueTask.FromResult(TakeFirstFree(clientIdPrefix)), stop);
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
                health.Unwell($"journal {name}", $"{e.Message.TrimEnd('.')}. Retrying every second.");
            }
            await Task.Delay(Persistently.Interval, clock, stop);
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
            // The ledger could not be used before the stop. The slot is empty, and its next owner retires it.
        }
        finally
        {
            slots.Remove(slot);
        }
    }

    /// <exception cref="IOException">The journal cannot be used now.</exception>
    Slot Open(SlotDirectory directory, Ledger ledger, bool isAdopted)
    {
        try
        {
            var slot = Slot.Open(directory, ledger, services, isAdopted, unreadable.MaySkip(directory.Name));
            unreadable.Note(directory.Name, problem: null);
            return slot;
        }
        catch (Exception e)
        {
            unreadable.Note(directory.Name, e);
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
                // A full or read-only disk, too many open files: this replica's own slots continue.
                if (failing != e.Message)
                    LogNotWatched(e.Message);
                failing = e.Message;
                health.Unwell(part, $"the search for slots without an owner fails: {e.Message}");
            }
        }
    }

    async Task CheckRetiredAsync(RetiredSessions retired, CancellationToken stop)
    {
        try
        {
            await retired.CheckAsync(slots.Sum(slot => slot.IsAdopted ? 0 : slot.Connections), stop);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogNotAsked(e.Message);
        }
    }

    async Task AdoptAsync(
        string name,
        Dictionary<string, long> freeSince,
        Ledger ledger,
        string clientIdPrefix,
        CancellationToken stop,
        CancellationToken abort
    )
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
            health.Unwell($"slot {name}", $"it has no owner and cannot be adopted: {e.Message.TrimEnd('.')}. Retrying.");
        }
    }

    [LoggerMessage(
        EventId = 147,
        Level = LogLevel.Error,
        Message = "This service cannot start because of its disk ({Part}): {Reason}. Retrying every second"
    )]
    partial void LogRefused(string part, string reason);

    [LoggerMessage(
        EventId = 140,
        Level = LogLevel.Information,
        Message = "{Slot} {How}: journal at offset {Offset}, {Backlog} readings to deliver"
    )]
    partial void LogTaken(string slot, string how, long offset, long backlog);

    [LoggerMessage(
        EventId = 141,
        Level = LogLevel.Information,
        Message = "{Slot} retired: everything it held is committed and the broker holds nothing for it"
    )]
    partial void LogRetired(string slot);

    [LoggerMessage(
        EventId = 144,
        Level = LogLevel.Warning,
        Message = "The search for sessions of retired slots at the broker failed: {Reason}. Retrying"
    )]
    partial void LogNotAsked(string reason);

    [LoggerMessage(EventId = 142, Level = LogLevel.Warning, Message = "{Slot} has no owner and could not be adopted: {Reason}")]
    partial void LogNotAdopted(string slot, string reason);

    [LoggerMessage(EventId = 148, Level = LogLevel.Error, Message = "{Slot} cannot be used: {Reason}. Retrying every second")]
    partial void LogNotUsed(string slot, string reason);

    [LoggerMessage(
        EventId = 149,
        Level = LogLevel.Error,
        Message = "The search for slots without an owner failed: {Reason}. Retrying; this replica's own slots are not affected"
    )]
    partial void LogNotWatched(string reason);

    [LoggerMessage(
        EventId = 150,
        Level = LogLevel.Warning,
        Message = "{Slot} is empty and has no owner, but is kept: its quarantine/ has {Files} files of damaged data. Stop the service and "
            + "run 'journal recover', or delete them"
    )]
    partial void LogKept(string slot, int files);
}
