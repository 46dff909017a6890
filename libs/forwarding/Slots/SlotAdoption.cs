using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Adopts slots that had no owner for a grace period, so that scaling down strands nothing: empties them, and retires them.
/// </summary>
/// <param name="services">What all slots share.</param>
/// <param name="owner">Runs an adopted slot.</param>
/// <param name="clientIdPrefix">What MQTT client ids begin with.</param>
sealed partial class SlotAdoption(SlotServices services, SlotOwner owner, string clientIdPrefix)
{
    readonly ForwarderOptions options = services.Options;
    readonly Health health = services.Health;
    readonly TimeProvider clock = services.Clock;
    readonly ILogger logger = services.Logger;
    readonly RetiredSessions retired = new(services.Options, clientIdPrefix, services.Clock, services.Logger);
    readonly Dictionary<string, long> freeSince = new(StringComparer.Ordinal);

    /// <summary>Watches until the stop. One slot is adopted at a time.</summary>
    /// <param name="stop">Ends the watch, and an adopted slot, which may still deliver.</param>
    /// <param name="abort">Gives up what is not delivered.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        const string part = "adoption";
        string? failing = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.SlotAdoptionGrace / 10, clock, stop);
                await CheckRetiredAsync(stop);
                foreach (var name in SlotDirectory.Names(options.DataDirectory))
                    await AdoptAsync(name, stop, abort);
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

    async Task CheckRetiredAsync(CancellationToken stop)
    {
        try
        {
            await retired.CheckAsync(services.Slots.Sum(slot => slot.IsAdopted ? 0 : slot.Connections), stop);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogNotAsked(e.Message);
        }
    }

    async Task AdoptAsync(string name, CancellationToken stop, CancellationToken abort)
    {
        using var taken = SlotDirectory.TryTake(options.DataDirectory, name, clientIdPrefix);
        if (taken is null)
        {
            freeSince.Remove(name);
            return;
        }
        if (owner.IsKeptForRecovery(taken))
            return;
        if (freeSince.TryAdd(name, clock.GetTimestamp()) || clock.GetElapsedTime(freeSince[name]) < options.SlotAdoptionGrace)
            return;
        freeSince.Remove(name);
        try
        {
            var slot = owner.Open(taken, isAdopted: true);
            await owner.RunAsync(slot, stop, abort);
            health.Forget($"slot {name}");
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogNotAdopted(name, e.Message);
            health.Unwell($"slot {name}", $"it has no owner and cannot be adopted: {e.Message.TrimEnd('.')}. Retrying.");
        }
    }

    [LoggerMessage(
        EventId = 144,
        Level = LogLevel.Warning,
        Message = "The search for sessions of retired slots at the broker failed: {Reason}. Retrying"
    )]
    partial void LogNotAsked(string reason);

    [LoggerMessage(EventId = 142, Level = LogLevel.Warning, Message = "{Slot} has no owner and could not be adopted: {Reason}")]
    partial void LogNotAdopted(string slot, string reason);

    [LoggerMessage(
        EventId = 149,
        Level = LogLevel.Error,
        Message = "The search for slots without an owner failed: {Reason}. Retrying; this replica's own slots are not affected"
    )]
    partial void LogNotWatched(string reason);
}
