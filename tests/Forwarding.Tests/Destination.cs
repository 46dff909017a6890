using System.Buffers;
using System.Collections.Concurrent;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A destination with the habits of a channel: it accepts, commits later and in order, forgets what was not committed when it is opened
/// again, and fails when told to. It outlives the sinks that write to it.
/// </summary>
sealed class Destination
{
    readonly Lock gate = new();
    readonly Dictionary<string, long> committed = [];
    readonly Dictionary<string, List<(long Offset, ReadingIdentity Identity)>> buffered = [];
    readonly List<ReadingIdentity> rows = [];
    readonly List<(long First, long End)> sent = [];

    /// <summary>Taken one by one by the next calls, whatever they are.</summary>
    public ConcurrentQueue<SinkException> Failures { get; } = new();

    /// <summary>Fail after the rows were taken in: the reply is lost.</summary>
    public bool LoseReplies { get; set; }

    /// <summary>How many polls a buffered batch stays uncommitted.</summary>
    public bool HoldCommits { get; set; }

    public int Opens { get; private set; }

    public int Polls { get; private set; }

    /// <summary>What was sent so far, oldest first.</summary>
    public IReadOnlyList<(long First, long End)> Sent
    {
        get
        {
            lock (gate)
                return [.. sent];
        }
    }

    /// <summary>Every committed row.</summary>
    public IReadOnlyList<ReadingIdentity> Rows
    {
        get
        {
            lock (gate)
                return [.. rows];
        }
    }

    public Sink CreateSink(SlotContext slot) => new(this, slot);

    public sealed class Sink(Destination destination, SlotContext slot) : IBatchSink
    {
        (long First, long End)? lastSent;

        public BatchLimits Limits { get; init; } = new(500, 1_000_000, TimeSpan.FromMilliseconds(20));

        public string Destination => $"nowhere/{slot.Name}";

        public TimeSpan PollInterval => TimeSpan.FromMilliseconds(20);

        public Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken)
        {
            ThrowIfTold();
            lock (destination.gate)
            {
                destination.Opens++;
                destination.buffered[slot.Epoch] = [];
                lastSent = null;
                return Task.FromResult(new SinkPosition(destination.committed.GetValueOrDefault(slot.Epoch, start.FirstStored)));
            }
        }

        public Task SendAsync(Batch batch, CancellationToken cancellationToken)
        {
            if (!destination.LoseReplies)
                ThrowIfTold();
            lock (destination.gate)
            {
                // A repeated append with a used continuation token is not applied again.
                if (lastSent != (batch.FirstOffset, batch.EndOffset))
                {
                    foreach (var reading in batch.Readings())
                    {
                        // What cannot be written as a row would be a defect that only a real sink would show.
                        reading.Payload.WriteRow(
                            reading.Index,
                            new ArrayBufferWriter<byte>(),
                            new RowStamp(batch.CreatedAt, "channel"),
                            reading.Offset
                        );
                        destination.buffered[slot.Epoch].Add((reading.Offset, reading.Payload.Identity(reading.Index)));
                    }
                    destination.sent.Add((batch.FirstOffset, batch.EndOffset));
                    lastSent = (batch.FirstOffset, batch.EndOffset);
                }
            }
            if (destination.LoseReplies)
                ThrowIfTold();
            return Task.CompletedTask;
        }

        public Task<SinkCommit> PollAsync(CancellationToken cancellationToken)
        {
            ThrowIfTold();
            lock (destination.gate)
            {
                destination.Polls++;
                if (!destination.HoldCommits)
                {
                    var buffer = destination.buffered[slot.Epoch];
                    destination.rows.AddRange(buffer.Select(row => row.Identity));
                    if (lastSent is { } last)
                        destination.committed[slot.Epoch] = last.End;
                    buffer.Clear();
                }
                return Task.FromResult(new SinkCommit(destination.committed.GetValueOrDefault(slot.Epoch)));
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        void ThrowIfTold()
        {
            if (destination.Failures.TryDequeue(out var failure))
                throw failure;
        }
    }
}
