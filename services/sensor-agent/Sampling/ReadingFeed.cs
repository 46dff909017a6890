using System.Threading.Channels;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Shows readings to watchers as they are taken. Samplers never wait for it: each watcher has a queue, and when it is full, the oldest
/// batch is dropped and counted. Thread-safe.
/// </summary>
sealed class ReadingFeed
{
    /// <summary>How many batches a watcher may fall behind; for the largest fleet, 10,000 inverters, that is some MB.</summary>
    const int MostWaiting = 64;

    volatile Watcher[] watchers = [];
    volatile TakenReading? latest;

    /// <summary>The newest thermal reading; null before the first. It must not be changed.</summary>
    public TakenReading? Latest => latest;

    /// <summary>Shows a thermal reading.</summary>
    public void Show(Device device, TakenReading taken)
    {
        latest = taken;
        if (!IsWatched(ReadingKind.Thermal))
            return;
        var batch = device.NewShownBatch();
        batch.Thermal.Add(taken.Dated());
        Show(ReadingKind.Thermal, batch);
    }

    /// <summary>Shows readings of inverters.</summary>
    /// <param name="device">The device that took them.</param>
    /// <param name="readings">The readings; they are copied.</param>
    /// <param name="at">When they were taken.</param>
    public void Show(Device device, IReadOnlyList<InverterReading> readings, DateTimeOffset at)
    {
        if (!IsWatched(ReadingKind.Inverter))
            return;
        var batch = device.NewShownBatch();
        foreach (var reading in readings)
        {
            var copy = reading.Clone();
            copy.ObservedAtUs = Instants.ToMicroseconds(at);
            batch.Inverters.Add(copy);
        }
        Show(ReadingKind.Inverter, batch);
    }

    bool IsWatched(ReadingKind kind)
    {
        foreach (var watcher in watchers)
        {
            if (watcher.Kind is null || watcher.Kind == kind)
                return true;
        }
        return false;
    }

    void Show(ReadingKind kind, ReadingBatch batch)
    {
        foreach (var watcher in watchers)
        {
            if (watcher.Kind is null || watcher.Kind == kind)
                watcher.Show(batch);
        }
    }

    /// <summary>Hands over readings from now on, until cancelled.</summary>
    /// <param name="kind">Only this kind; null: all kinds.</param>
    /// <param name="write">Receives them one after the other.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task WatchAsync(ReadingKind? kind, Func<TakenReadings, Task> write, CancellationToken cancellationToken)
    {
        var watcher = new Watcher(kind);
        Change(all => [.. all, watcher]);
        try
        {
            await foreach (var batch in watcher.Queue.Reader.ReadAllAsync(cancellationToken))
                await write(new TakenReadings { Batch = batch, Missed = watcher.TakeMissed() });
        }
        finally
        {
            Change(all => [.. all.Where(other => other != watcher)]);
        }
    }

    void Change(Func<Watcher[], Watcher[]> change)
    {
        while (true)
        {
            var before = watchers;
            if (ReferenceEquals(Interlocked.CompareExchange(ref watchers, change(before), before), before))
                return;
        }
    }

    sealed class Watcher
    {
        long missed;

        public Watcher(ReadingKind? kind)
        {
            Kind = kind;
            Queue = Channel.CreateBounded<ReadingBatch>(
                new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
                dropped => Interlocked.Add(ref missed, dropped.Thermal.Count + dropped.Inverters.Count)
            );
        }

        public ReadingKind? Kind { get; }

        public Channel<ReadingBatch> Queue { get; }

        public void Show(ReadingBatch batch) => Queue.Writer.TryWrite(batch);

        /// <summary>Readings that were dropped since the last call.</summary>
        public ulong TakeMissed() => (ulong)Interlocked.Exchange(ref missed, 0);
    }
}
