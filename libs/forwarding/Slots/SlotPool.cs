using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The slots that a replica owns: as many as SLOTS says, or, between its two numbers, as many as <see cref="SlotScaling"/> decides. A
/// closed slot has no owner; this replica or another one adopts, empties and retires it like any other.
/// </summary>
/// <param name="services">What all slots share.</param>
/// <param name="own">Owns a slot until the first token; gives up what it cannot finish at the second.</param>
/// <param name="budget">How long a slot may deliver after it was told to stop.</param>
sealed partial class SlotPool(SlotServices services, Func<CancellationToken, CancellationToken, Task> own, TimeSpan budget)
{
    readonly ForwarderOptions options = services.Options;
    readonly ILogger logger = services.Logger;
    readonly List<SlotLease> leases = [];

    int Open => leases.Count(lease => !lease.IsClosing);

    /// <summary>Runs until the stop, or until a slot ends otherwise than on request.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            while (leases.Count < options.Slots)
                Add();
            var scaling = new SlotScaling(options.Slots, options.MostSlots, options.Pace, services.Clock);
            while (true)
            {
                var look = options.MostSlots > options.Slots ? options.Pace.Look : Timeout.InfiniteTimeSpan;
                var waiting = Task.Delay(look, services.Clock, end.Token);
                var ended = await Task.WhenAny([waiting, .. leases.Select(lease => lease.Ended)]);
                if (end.IsCancellationRequested)
                    return;
                if (ended == waiting)
                    Look(scaling);
                else if (leases.Find(lease => lease.Ended == ended) is { IsClosing: true } closed)
                    await RemoveAsync(closed);
                else
                {
                    await ended;
                    return;
                }
            }
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(leases.Select(lease => lease.Ended));
            leases.ForEach(lease => lease.Dispose());
        }

        void Add() => leases.Add(new SlotLease(own, budget, end.Token, abort));

        void Look(SlotScaling scaling)
        {
            if (services.Pause.Current is not null)
            {
                scaling.Rest();
                return;
            }
            var owned = services.Slots.Select(slot => slot).Where(slot => !slot.IsAdopted).ToList();
            var lag = owned.Select(slot => slot.Journal.OldestUncommittedAge ?? TimeSpan.Zero).DefaultIfEmpty().Max();
            var linger = owned.Select(slot => slot.Linger).DefaultIfEmpty().Max();
            switch (scaling.Look(Open, lag, owned.Sum(slot => slot.Journal.CommittedOffset), linger))
            {
                case SlotChange.Open:
                    Add();
                    LogOpened(lag.TotalSeconds, Open, options.MostSlots);
                    break;
                case SlotChange.Close:
                    leases.FindLast(lease => !lease.IsClosing)!.Close();
                    LogClosed(Open, options.Slots);
                    break;
                default:
                    break;
            }
        }
    }

    async Task RemoveAsync(SlotLease lease)
    {
        leases.Remove(lease);
        using (lease)
        {
            try
            {
                await lease.Ended;
            }
            catch (OperationCanceledException)
            {
                // It was waiting for the disk when it was told to stop.
            }
        }
    }

    [LoggerMessage(
        EventId = 154,
        Level = LogLevel.Information,
        Message = "Readings wait {Lag:0} s for their commit, and the wait grows: opened another slot, now {Open} of at most {Most} "
            + "(SLOTS)"
    )]
    partial void LogOpened(double lag, int open, int most);

    [LoggerMessage(
        EventId = 155,
        Level = LogLevel.Information,
        Message = "No reading has been late for a while: closing a slot, {Open} stay open, at least {Least} (SLOTS). The stored "
            + "readings of the closed slot are adopted and delivered"
    )]
    partial void LogClosed(int open, int least);
}
