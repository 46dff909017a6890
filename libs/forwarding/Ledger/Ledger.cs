using System.Buffers;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Remembers which readings the replicas that share a data directory have stored, so that a reading that arrives again (redelivered by the
/// broker, published again by its agent, to this replica or another) is stored once. It survives restarts and is bounded.
/// </summary>
/// <remarks>
/// <para>Why it is correct. The journals hold the readings; the ledger is an index of them. A slot claims the readings that no slot has
/// stored or claimed (<see cref="Claim"/>), appends them to its journal, and confirms (<see cref="Confirm"/>). It holds the lock while it
/// claims and while it confirms, not while it appends, so no slot waits for another's fsync. A slot that receives readings which another
/// slot has claimed waits until that claim has ended. If the process of a slot died, another process ends its claim by reading its journal,
/// which has the readings that were stored.</para>
/// <para>Power cuts. Entries are not fsynced one by one, so a power cut may cost the ledger's end. Before a process stores anything, it
/// therefore reads the journals of all slots from the offsets up to which the ledger is complete. A journal can repeat its entries until it
/// deletes a segment; <see cref="Flush"/> is called before that.</para>
/// <para>Errors. An I/O error is thrown and changes nothing in the files: the caller tries again and stores nothing meanwhile. Bytes that
/// read wrong twice without an error are damage (<see cref="Repair"/>).</para> Thread-safe through <see cref="LockAsync"/>.
/// </remarks>
sealed partial class Ledger : IDisposable
{
    /// <summary>The file is replaced when it is larger than this and than three times its compacted size.</summary>
    const long CompactionBytes = 1 << 20;

    /// <summary>Entries from journals are written in groups of about this size.</summary>
    const int RepeatedGroupBytes = 256 * 1024;

    /// <summary>Most fingerprints written with a claim, besides those of a stream's first readings.</summary>
    const int MaxFingerprintsWritten = 64;

    /// <summary>How long to wait for the lock before the wait is reported.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly string path;
    readonly ISlotJournals journals;
    readonly ILogger logger;
    readonly TimeProvider clock;
    readonly LedgerLock entrance;
    readonly LedgerFile file;
    readonly LedgerState state;
    readonly ArrayBufferWriter<byte> pending = new();
    int fingerprintsToWrite;
    string holder = "";
    bool isClean;
    bool hasReadJournals;
    bool isReplacing;

    /// <param name="directory">Shared by all replicas of a service.</param>
    /// <param name="journals">The slots' journals in it.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">For repairs.</param>
    /// <param name="disk">How files are read and written.</param>
    /// <param name="maxBytes">Most memory of the remembered readings, in bytes; each process of a directory may have its own bound.</param>
    public Ledger(
        string directory,
        ISlotJournals journals,
        TimeProvider clock,
        ILogger logger,
        Disk? disk = null,
        long maxBytes = StoredReadings.UsualMaxBytes
    )
    {
        path = Path.Combine(directory, "ledger");
        this.journals = journals;
        this.clock = clock;
        this.logger = logger;
        disk ??= new Disk();
        entrance = new LedgerLock(path + ".lock", disk, clock);
        file = new LedgerFile(path, disk);
        Figures = new LedgerFigures(maxBytes);
        state = new LedgerState
        {
            MaxBytes = maxBytes,
            OnImpossible = (key, first, count) => LogImpossible(path, first, count, key.DeviceId, key.BootId),
        };
    }

    /// <summary>Figures about what it holds.</summary>
    public LedgerFigures Figures { get; }

    /// <summary>
    /// Takes the lock for a slot and brings this view up to date. Additions count once <see cref="LedgerSession.Complete()"/> is called;
    /// disposing without it leaves the ledger as others know it.
    /// </summary>
    /// <exception cref="IOException">
    /// The files cannot be used now, are of a later version, or the lock is held (<see cref="LedgerHeldException"/>). Damage is repaired
    /// and logged, not thrown.
    /// </exception>
    /// <exception cref="OperationCanceledException">Asked to stop while waiting for the lock.</exception>
    public async ValueTask<LedgerSession> LockAsync(string slot, CancellationToken cancellationToken)
    {
        LedgerNote before;
        try
        {
            before = await entrance.TakeAsync(slot, Patience, cancellationToken);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw Unusable(e);
        }
        holder = slot;
        isClean = false;
        try
        {
            CatchUp(before);
            if (file.MustReplace)
                Replace();
            if (before.Generation != file.Generation)
                entrance.Write(Note(file.Generation, holder));
            // Includes what other processes and earlier ones stored and forgot.
            Figures.Show(state.Readings);
            isClean = true;
            return new LedgerSession(this);
        }
        catch (Exception e)
        {
            Leave();
            if (DiskError.IsFileProblem(e))
                throw Unusable(e);
            throw;
        }
    }

    /// <summary>
    /// The offset (exclusive) up to which the ledger is complete for the slot's journal of that epoch; null when it knows nothing of that
    /// journal. Only while locked.
    /// </summary>
    public long? Position(string slot, string epoch) =>
        state.Slots.TryGetValue(slot, out var known) && known.Epoch == epoch ? known.Offset : null;

    /// <summary>
    /// Whether any of the <paramref name="count"/> readings from this one on is stored, or claimed by any slot. Only while locked.
    /// </summary>
    public bool ContainsAny(in ReadingIdentity first, ulong count) =>
        first.IsComplete
        && state.Readings.TryFind(first, out var stream)
        && (
            stream.Stored.Overlaps(first.Sequence, first.Sequence + (count - 1))
            || stream.FindClaim(first.Sequence, first.Sequence + (count - 1)) is not null
        );

    /// <summary>
    /// The claim of another slot that any of these readings belongs to; null if there is none. The claim of a slot without an owner is
    /// ended first, by reading its journal. Only while locked.
    /// </summary>
    /// <exception cref="IOException">That journal cannot be read now.</exception>
    public LedgerClaim? FindOtherClaim(string slot, IEnumerable<(ReadingIdentity First, ulong Count)> runs)
    {
        if (!state.Slots.Any(other => other.Key != slot && other.Value.Claim is not null))
            return null;
        foreach (var (first, count) in runs)
        {
            if (!first.IsComplete || !state.Readings.TryFind(first, out var stream) || !stream.IsClaimed)
                continue;
            while (stream.FindClaim(first.Sequence, first.Sequence + (count - 1)) is { } claim && claim.Slot != slot)
            {
                try
                {
                    if (!TryEndDead(claim.Slot))
                        return claim;
                }
                catch (Exception e) when (DiskError.IsFileProblem(e))
                {
                    throw Unusable(e);
                }
            }
        }
        return null;
    }

    /// <summary>Begins a claim of the slot: <see cref="AddToClaim"/> says of which readings. Only while locked.</summary>
    /// <param name="slot">Name of the slot. It has no claim.</param>
    /// <param name="epoch">Identity of its journal.</param>
    /// <param name="from">Where in the journal the readings will be, or further on.</param>
    public LedgerClaim Claim(string slot, string epoch, long from)
    {
        isClean = false;
        fingerprintsToWrite = MaxFingerprintsWritten;
        var claim = new LedgerClaim(slot, epoch, from, LedgerNote.ThisProcess);
        state.Begin(claim);
        return claim;
    }

    /// <summary>Claims readings that no slot has stored or claimed. Readings without a number are skipped. Only while locked.</summary>
    /// <param name="claim">From <see cref="Claim"/>.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many; their numbers follow.</param>
    /// <param name="fingerprints">Of each; empty when they are not known.</param>
    /// <exception cref="ArgumentOutOfRangeException">The numbers run past the highest number.</exception>
    public void AddToClaim(LedgerClaim claim, in ReadingIdentity first, ulong count, ReadOnlySpan<uint> fingerprints = default)
    {
        if (TryFindOrDefine(first, count) is not { } stream)
            return;
        StoredReadings.Claim(claim, stream, first.Sequence, first.Sequence + (count - 1));
        Keep(stream, first.Sequence, fingerprints);
    }

    /// <summary>
    /// Whether another reading with this identity is stored or claimed. False also when the stored one's fingerprint is no longer known.
    /// Only while locked.
    /// </summary>
    public bool IsAnother(in ReadingIdentity identity, uint fingerprint) =>
        identity.IsComplete
        && state.Readings.TryFind(identity, out var stream)
        && stream.Fingerprints?.Of(identity.Sequence) is { } known and > 0
        && known != fingerprint;

    /// <summary>
    /// Notes that the slot's claimed readings are stored, below <paramref name="offset"/> of its journal. Only while locked.
    /// </summary>
    /// <returns>False when the ledger does not know the claim: damage took it. Then the journal must be entered.</returns>
    public bool Confirm(string slot, long offset)
    {
        if (!state.Slots.TryGetValue(slot, out var known) || known.Claim is null)
            return false;
        isClean = false;
        state.Confirm(slot, offset);
        LedgerState.WriteConfirmed(pending, slot, offset);
        return true;
    }

    /// <summary>Notes that the readings are stored, claimed or not. Only while locked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The numbers run past the highest number.</exception>
    public void Add(in ReadingIdentity first, ulong count)
    {
        if (TryFindOrDefine(first, count) is not { } stream)
            return;
        state.Readings.Include(stream, first.Sequence, first.Sequence + (count - 1));
        LedgerState.WriteRange(pending, isClaim: false, stream, first.Sequence, first.Sequence + (count - 1));
    }

    /// <summary>
    /// Makes everything entered so far durable; needed before a journal deletes entries that it could repeat. Takes no lock: it is called
    /// while an append waits for the space.
    /// </summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Flush() => file.Flush();

    public void Dispose()
    {
        file.Dispose();
        entrance.Dispose();
    }

    LedgerNote Note(ulong generation, string slot) =>
        slot.Length == 0 ? new(generation, "", "", null) : new(generation, slot, LedgerNote.ThisProcess, clock.GetUtcNow());

    /// <summary>Makes the additions visible to the other slots. Only while locked, from <see cref="LedgerSession"/>.</summary>
    /// <param name="claim">The slot's claim, if one was begun.</param>
    /// <exception cref="IOException">The file cannot be used; nothing of it counts.</exception>
    internal void Complete(LedgerClaim? claim)
    {
        try
        {
            Write(claim);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw Unusable(e);
        }
    }

    void Write(LedgerClaim? claim)
    {
        if (claim is not null)
            LedgerState.WriteClaim(pending, claim);
        Save();
        if (file.End > CompactionBytes && file.End > 3 * state.WrittenBytes)
            Replace();
        isClean = true;
    }

    /// <summary>Releases the lock. Only from <see cref="LedgerSession"/>.</summary>
    internal void Leave()
    {
        // Entries that exist only in memory must not stay, and streams may have numbers that no file has.
        if (!isClean)
            Clear();
        try
        {
            // A name that stays in the note means that its process may have left a torn group.
            if (isClean)
                entrance.Write(Note(file.Generation, ""));
        }
        catch (IOException)
        {
            // The note stays, and the next holder checks more than necessary.
        }
        entrance.Release();
    }

    /// <summary>Writes the pending entries, and the streams that must be forgotten because of them.</summary>
    void Save()
    {
        foreach (var stream in state.Readings.Trim())
            LedgerState.WriteForgotten(pending, stream);
        Figures.Show(state.Readings);
        if (isReplacing)
            pending.ResetWrittenCount();
        else
            file.Append(pending);
    }

    void Replace()
    {
        Save();
        file.Replace(state, generation => entrance.Write(Note(generation, holder)));
        isReplacing = false;
    }

    /// <summary>
    /// Keeps fingerprints. Writes those of a stream's first readings, and a few others: writing all would wear the storage out.
    /// </summary>
    void Keep(StoredStream stream, ulong first, ReadOnlySpan<uint> fingerprints)
    {
        if (fingerprints.IsEmpty)
            return;
        state.Readings.Keep(stream, first, fingerprints);
        var written = 0;
        while (written < fingerprints.Length && (fingerprintsToWrite > 0 || stream.Fingerprints!.IsFirst(first + (ulong)written)))
        {
            fingerprintsToWrite--;
            written++;
        }
        if (written > 0)
            LedgerState.WriteFingerprints(pending, stream, first, fingerprints[..written]);
    }

    StoredStream? TryFindOrDefine(in ReadingIdentity first, ulong count)
    {
        if (!first.IsComplete || count == 0)
            return null;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count - 1, ulong.MaxValue - first.Sequence, nameof(count));
        isClean = false;
        if (state.Readings.TryFind(first, out var stream))
            return stream;
        stream = state.Readings.Define(new StreamKey(first), state.Readings.NextNumber);
        LedgerState.WriteDefinition(pending, stream);
        return stream;
    }
}
