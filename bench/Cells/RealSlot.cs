using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Bench;

/// <summary>A journal, its delivery and its channel, as a slot has them, without a broker: readings are put into the journal.</summary>
sealed class RealSlot : IAsyncDisposable
{
    const string Epoch = "bench";

    readonly DurableJournal journal;
    readonly IBatchSink sink;
    readonly DeliveryLoop delivery;
    readonly CancellationTokenSource end = new();
    readonly Task running;

    /// <param name="number">Which one.</param>
    /// <param name="place">For its files.</param>
    /// <param name="sink">Its channel.</param>
    /// <param name="shared">What the slots share.</param>
    public RealSlot(int number, string place, IBatchSink sink, SharedParts shared)
    {
        var name = $"slot-{number}";
        var directory = Directory.CreateDirectory(Path.Combine(place, name)).FullName;
        journal = DurableJournal.Open(
            new JournalOptions
            {
                Directory = directory,
                SegmentBytes = 256 << 10,
                MaxBytes = 4 << 20,
                FreeSpaceReserveBytes = 0,
            },
            shared.Clock,
            NullLogger.Instance,
            shared.Disk
        );
        this.sink = sink;
        var context = new SlotContext(name, journal.Epoch, journal.NextOffset, directory, (_, _) => [], shared.Letters);
        delivery = new DeliveryLoop(
            new DeliveryCursor(journal, name, shared.Metrics, shared.Clock, NullLogger.Instance),
            sink,
            context,
            shared.Pause,
            shared.Health,
            shared.Clock,
            NullLogger.Instance
        );
        running = Task.Run(() => delivery.RunAsync(CancellationToken.None, end.Token));
    }

    /// <summary>Readings that are not committed.</summary>
    public long Backlog => journal.BacklogReadings;

    /// <summary>Puts a reading into the journal.</summary>
    /// <param name="reading">Its values.</param>
    /// <param name="device">Whose it is.</param>
    /// <param name="sequence">Its number.</param>
    /// <param name="at">When it came.</param>
    public async Task StoreAsync(ThermalReading reading, string device, ulong sequence, DateTimeOffset at)
    {
        var batch = new ReadingBatch { DeviceId = device, BootId = Epoch };
        batch.Thermal.Add(new ThermalReading(reading) { Sequence = sequence });
        var header = StoredPayload.Header(isJson: false, ReadingKind.Thermal, device, at);
        await journal.AppendAsync([new JournalRecord(batch.ToByteArray(), 1) { Prefix = header }], CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await running;
        delivery.Dispose();
        await sink.DisposeAsync();
        journal.Dispose();
        end.Dispose();
    }

    /// <summary>What the slots of a process share.</summary>
    public sealed record SharedParts(
        TimeProvider Clock,
        Disk Disk,
        DeadLetters Letters,
        ForwarderMetrics Metrics,
        PauseSwitch Pause,
        Health Health
    );
}
