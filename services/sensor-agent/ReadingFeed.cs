using System.Threading.Channels;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Shows readings as they are taken to whoever watches. Samplers never wait for it: each watcher has a queue, of which the oldest is
/// dropped and counted when it is full. Thread-safe.
/// </summary>
sealed class ReadingFeed
{
    /// <summary>Batches that a watcher may be behind; of the largest fleet, 10,000 inverters, some MB.</summary>
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
    /// <param name="device">Took them.</param>
    /// <param name="readings">Are copied.</param>
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

    /// <summary>Hands over the readings from now on, until it is cancelled.</summary>
    /// <param name="kind">Null: of all kinds.</param>
    /// <param name="write">Gets them one after the other.</param>
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
