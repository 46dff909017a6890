using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Opens slots and runs them, as their only owner. Thread-safe: several slots run at a time, of which one may be adopted.</summary>
/// <param name="services">What all slots share.</param>
/// <param name="ledger">Which readings are stored.</param>
/// <param name="clientIdPrefix">What MQTT client ids begin with.</param>
sealed partial class SlotOwner(SlotServices services, Ledger ledger, string clientIdPrefix)
{
    readonly ForwarderOptions options = services.Options;
    readonly Health health = services.Health;
    readonly ILogger logger = services.Logger;
    readonly UnreadableSince unreadable = new(services.Clock);

    // Only an adopted slot is ever retired, and one is adopted at a time.
    readonly HashSet<string> keptForRecovery = new(StringComparer.Ordinal);

    /// <summary>
    /// Owns a slot. Retries while the disk does not let the slot be used; anything else that ends the slot ends the service.
    /// </summary>
    /// <param name="stop">Ends the slot; it may still deliver.</param>
    /// <param name="abort">Gives up what is not delivered.</param>
    public async Task OwnAsync(CancellationToken stop, CancellationToken abort)
    {
        string? failing = null,
            failed = null;
        var hasOpened = false;
        var takeSlot = StartRetry.Of("slots", services, Unusable);
        while (!stop.IsCancellationRequested)
        {
            var taken = await takeSlot.DoAsync(() => ValueTask.FromResult(TakeFirstFree()), stop);
            var name = taken.Name;
            if (failed is not null && failed != name)
                health.Forget($"journal {failed}");
            try
            {
                var slot = Open(taken, isAdopted: false);
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
            await Task.Delay(Persistently.Interval, services.Clock, stop);
        }
    }

    /// <summary>Whether this slot, which has no owner, is kept only for what its quarantine holds.</summary>
    public bool IsKeptForRecovery(SlotDirectory slot) => keptForRecovery.Contains(slot.Name) && Quarantine.Count(slot.JournalPath) > 0;

    /// <summary>Runs a slot that <see cref="Open"/> opened, and disposes it. An adopted one that is empty then is retired.</summary>
    /// <param name="opened">The slot.</param>
    /// <param name="stop">Ends the slot; it may still deliver.</param>
    /// <param name="abort">Gives up what is not delivered.</param>
    public async Task RunAsync(Slot opened, CancellationToken stop, CancellationToken abort)
    {
        await using var slot = opened;
        services.Slots.Add(slot);
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
            services.Slots.Remove(slot);
        }
    }

    /// <summary>Opens a slot that this process has locked. If that fails, the lock is released.</summary>
    /// <param name="directory">The slot's directory.</param>
    /// <param name="isAdopted">Whether the slot is to be emptied and retired.</param>
    /// <exception cref="IOException">The journal cannot be used now.</exception>
    public Slot Open(SlotDirectory directory, bool isAdopted)
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

    SlotDirectory TakeFirstFree()
    {
        for (var number = 0; ; number++)
        {
            if (SlotDirectory.TryTake(options.DataDirectory, SlotDirectory.NameOf(number), clientIdPrefix) is { } taken)
                return taken;
        }
    }

    ConfigurationException Unusable(Exception e) => new([$"DATA_DIRECTORY is '{options.DataDirectory}': {e.Message}"]);

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

    [LoggerMessage(EventId = 148, Level = LogLevel.Error, Message = "{Slot} cannot be used: {Reason}. Retrying every second")]
    partial void LogNotUsed(string slot, string reason);

    [LoggerMessage(
        EventId = 150,
        Level = LogLevel.Warning,
        Message = "{Slot} is empty and has no owner, but is kept: its quarantine/ has {Files} files of damaged data. Stop the service and "
            + "run 'journal recover', or delete them"
    )]
    partial void LogKept(string slot, int files);
}
