using Google.Protobuf;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The readings of one kind on disk, from when they are taken until the broker has them for good. Each kind has its own outbox, so that
/// readings without a subscriber do not hold up the others. One sampler stores and one publisher reads; any thread may read the figures.
/// </summary>
sealed partial class Outbox : IDisposable
{
    /// <summary>
    /// How long an append may take before checking whether the outbox is full; the slowest fsync of an SD card takes less.
    /// </summary>
    static readonly TimeSpan SlowAppend = TimeSpan.FromSeconds(2);

    /// <summary>How long a stop waits for space for the batch in hand.</summary>
    static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How far the outbox's cursor on disk may lag behind. After a kill the agent publishes that much again besides the replay window, and
    /// the forwarders recognise it.
    /// </summary>
    static readonly TimeSpan CursorInterval = TimeSpan.FromMinutes(5);

    readonly byte[] header;
    readonly JournalOptions options;
    readonly Lock gate = new();
    readonly Health health;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly string part;
    readonly CellMark? leftBehind;
    byte[] buffer;
    DurableJournal? journal;
    Task? opening;
    long acknowledged;
    long acknowledgedHere;
    long oldest;
    long publishUntil;

    public Outbox(
        ReadingKind kind,
        AgentOptions options,
        ReadingClock readingClock,
        Health health,
        TimeProvider clock,
        ILogger<Outbox> logger
    )
    {
        Kind = kind;
        Clock = readingClock;
        this.health = health;
        this.clock = clock;
        this.logger = logger;
        part = $"outbox {Topics.Name(kind)}";
        header = StoredPayload.Header(isJson: false, kind, options.DeviceId, clock.GetUtcNow());
        // A thermal reading takes some 160 bytes, one of an inverter 110.
        buffer = new byte[1024 + 200 * (kind == ReadingKind.Thermal ? options.BatchSize : options.Inverters)];
        this.options = options.Journal with { Directory = options.OutboxDirectory(kind), CursorInterval = CursorInterval };
        leftBehind = options.Cells.LeftBehind(kind);
        // With cells, nothing is published until the cell is on disk.
        publishUntil = options.Cells.IsUsed ? 0 : long.MaxValue;
        oldest = clock.GetTimestamp();
        try
        {
            Use(DurableJournal.Open(this.options, clock, logger));
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            if (DiskError.IsSetting(e))
                throw new ConfigurationException([$"DATA_DIRECTORY is '{options.DataDirectory}': {e.Message}"]);
            // The disk's state: the outbox's users wait for it.
            health.Unwell(part, e.Message);
        }
    }

    public ReadingKind Kind { get; }

    /// <summary>Tells when its readings were taken.</summary>
    public ReadingClock Clock { get; }

    /// <summary>The journal, once <see cref="OpenAsync"/> has completed.</summary>
    public DurableJournal Journal => Volatile.Read(ref journal) ?? throw new InvalidOperationException("The outbox is not open yet.");

    /// <summary>Whether <see cref="OpenAsync"/> has completed.</summary>
    public bool IsOpen => Volatile.Read(ref journal) is not null;

    /// <summary>
    /// Completes when the disk lets the outbox be used. Until then it tries again every second, and <c>/readyz</c> says why.
    /// </summary>
    /// <exception cref="OperationCanceledException">The agent is stopping.</exception>
    public Task OpenAsync(CancellationToken stopping)
    {
        if (IsOpen)
            return Task.CompletedTask;
        lock (gate)
            return opening is null or { IsCanceled: true } ? opening = OpenPersistentlyAsync(stopping) : opening;
    }

    async Task OpenPersistentlyAsync(CancellationToken stopping)
    {
        // Leave the caller's stack first: it holds the lock.
        await Task.Yield();
        Use(await JournalOpening.OpenAsync(options, clock, logger, problem => health.Unwell(part, problem), stopping));
    }

    void Use(DurableJournal opened)
    {
        // Readings that an earlier cell has must not reach this one, even if the journal's own cursor was lost.
        if (leftBehind is { } mark && mark.Epoch == opened.Epoch && opened.CommittedOffset < mark.Offset)
            opened.Commit(mark.Offset);
        acknowledged = opened.CommittedOffset;
        Volatile.Write(ref journal, opened);
        health.Well(part);
    }

    /// <summary>
    /// First offset that the broker has not acknowledged to this process. After a restart, readings that may be replayed count as not
    /// acknowledged.
    /// </summary>
    public long AcknowledgedOffset => Volatile.Read(ref acknowledged);

    /// <summary>Readings that the broker has not acknowledged.</summary>
    public long Backlog => Volatile.Read(ref journal)?.ReadingsFrom(AcknowledgedOffset) ?? 0;

    /// <summary>Age of the oldest of them; zero if there are none.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            var age = clock.GetElapsedTime(Volatile.Read(ref oldest));
            return Backlog == 0 || age < TimeSpan.Zero ? TimeSpan.Zero : age;
        }
    }

    /// <summary>Why the broker does not take its next batch; null while it does.</summary>
    public string? HeldBy { get; set; }

    /// <summary>On this connection the broker has acknowledged everything below <paramref name="offset"/>.</summary>
    /// <returns>How many readings this acknowledged for the first time.</returns>
    public long Acknowledge(long offset)
    {
        Volatile.Write(ref acknowledgedHere, offset);
        var before = acknowledged;
        if (offset <= before)
            return 0;
        Volatile.Write(ref acknowledged, offset);
        return offset - before;
    }

    /// <summary>Whether a batch may go to the broker's cell: it was stored before the device left the cell.</summary>
    /// <param name="endOffset">One past its last reading.</param>
    public bool MayPublish(long endOffset)
    {
        lock (gate)
            return endOffset <= publishUntil;
    }

    /// <summary>Leaves the cell: it gets what is stored now, and nothing that is stored later.</summary>
    /// <returns>The first offset that it does not get.</returns>
    public long Leave()
    {
        // Under the lock: nobody may see a later batch before this is set.
        lock (gate)
            return publishUntil = Journal.NextOffset;
    }

    /// <summary>Whether readings that are stored from now on wait for a cell: the device leaves its cell, or has none yet.</summary>
    public bool IsHeldBack
    {
        get
        {
            lock (gate)
                return publishUntil != long.MaxValue;
        }
    }

    /// <summary>Stays with the cell, which gets everything.</summary>
    public void Stay()
    {
        lock (gate)
            publishUntil = long.MaxValue;
    }

    /// <summary>The connection is gone: the broker may have forgotten what it acknowledged on it.</summary>
    public void ForgetAcknowledged() => Volatile.Write(ref acknowledgedHere, 0);

    /// <summary>Gives up the replay window when the outbox is full: a shorter window is better than no new readings.</summary>
    public void MakeRoom()
    {
        if (Volatile.Read(ref acknowledgedHere) is > 0 and var offset && offset > Journal.CommittedOffset && Shortage() is not null)
            Journal.Commit(offset);
    }

    /// <summary>
    /// Completes when there is room for the next batch. Call it before beginning a batch: sampling stops while there is still room for the
    /// batch in hand.
    /// </summary>
    public async Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        await OpenAsync(cancellationToken);
        if (Shortage() is null)
            return;
        var since = clock.GetTimestamp();
        while (true)
        {
            MakeRoom();
            if (Shortage() is not { } shortage)
                break;
            health.Unwell(
                part,
                $"sampling has stopped for {clock.GetElapsedTime(since).TotalSeconds:0} s, because the outbox is full: {shortage}"
            );
            await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
        }
        health.Well(part);
    }

    /// <summary>Why there is no room for two more batches, as the journal says it; null while there is.</summary>
    string? Shortage() => Journal.FullReason ?? Journal.WhyNoRoomFor(2L * buffer.Length + 4096);

    /// <summary>Sets when the oldest unacknowledged batch was stored. From now on its age counts in monotonic time.</summary>
    public void SetOldest(DateTimeOffset appendedAt)
    {
        var age = clock.GetUtcNow() - appendedAt;
        Volatile.Write(ref oldest, clock.GetTimestamp() - (long)(age.TotalSeconds * clock.TimestampFrequency));
    }

    /// <summary>
    /// Dates a batch and stores it; completes when it is on disk. While the disk refuses, it waits, and sampling waits with it: a reading
    /// that is not taken is not lost.
    /// </summary>
    /// <param name="batch">Has at least one reading of the outbox's kind, stamped with the time since the machine's start.</param>
    /// <param name="count">How many.</param>
    /// <param name="stopping">After its cancellation, waits a little longer for a full outbox, then gives up.</param>
    /// <param name="areDated">The readings already have final times, as recorded ones do.</param>
    public async Task StoreAsync(ReadingBatch batch, int count, CancellationToken stopping, bool areDated = false)
    {
        if (areDated)
            Clock.StampHost(batch);
        else
            Clock.Stamp(batch);
        var size = batch.CalculateSize();
        if (buffer.Length < size)
            buffer = new byte[size + size / 4];
        batch.WriteTo(buffer.AsSpan(0, size));
        var now = clock.GetUtcNow();
        StoredPayload.Stamp(header, now);
        if (Backlog == 0)
            SetOldest(now);
        var stored = Journal.AppendAsync(new JournalRecord(buffer.AsMemory(0, size), count) { Prefix = header }, CancellationToken.None);
        if (!stored.IsCompletedSuccessfully)
            await WaitAsync(stored.AsTask(), count, stopping);
    }

    async Task WaitAsync(Task stored, int count, CancellationToken stopping)
    {
        var since = clock.GetTimestamp();
        long? stoppedAt = null;
        while (true)
        {
            try
            {
                await stored.WaitAsync(SlowAppend, clock, CancellationToken.None);
                health.Well(part);
                return;
            }
            catch (TimeoutException)
            {
                MakeRoom();
                var waited = clock.GetElapsedTime(since);
                health.Unwell(
                    part,
                    Journal.FullReason is { } reason
                        ? $"sampling has stopped for {waited.TotalSeconds:0} s, because the outbox is full: {reason}"
                        : $"the disk has not confirmed a write for {waited.TotalSeconds:0} s; look at dmesg and at what else writes to it"
                );
                if (!stopping.IsCancellationRequested)
                    continue;
                stoppedAt ??= clock.GetTimestamp();
                if (clock.GetElapsedTime(stoppedAt.Value) < StopPatience)
                    continue;
                LogLost(count, Topics.Name(Kind), Journal.FullReason ?? "the disk does not answer");
                return;
            }
        }
    }

    public void Dispose() => journal?.Dispose();

    [LoggerMessage(
        EventId = 1,
        Level = LogLevel.Error,
        Message = "{Count} {Kind} readings in memory could not be stored before the stop and are lost: {Reason}"
    )]
    partial void LogLost(int count, string kind, string reason);
}
