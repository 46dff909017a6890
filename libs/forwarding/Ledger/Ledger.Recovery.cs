using System.Globalization;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>How the ledger becomes complete again after kills, power cuts and damage.</summary>
sealed partial class Ledger
{
    /// <summary>Notes that all readings of a message are stored, claimed or not. Only while locked.</summary>
    public void Add(Payload payload)
    {
        var (index, fingerprints) = (0, ReadingRuns.Fingerprints(payload));
        foreach (var (first, count) in ReadingRuns.Of(payload))
        {
            Add(first, count);
            if (first.IsComplete && state.Readings.TryFind(first, out var stream))
                Keep(stream, first.Sequence, fingerprints.AsSpan(index, (int)count));
            index += (int)count;
        }
    }

    /// <summary>
    /// Enters the readings of a slot's own journal that the ledger may lack, and ends the slot's claim. Only while locked.
    /// </summary>
    /// <param name="slot">Name of the slot.</param>
    /// <param name="epoch">Identity of its journal.</param>
    /// <param name="read">Reads the journal from an offset on. All of it is durable.</param>
    /// <param name="next">Offset of the next reading.</param>
    public void IndexJournal(string slot, string epoch, Func<long, IEnumerable<Payload?>> read, long next)
    {
        isClean = false;
        foreach (var payload in read(state.Slot(slot).UnknownFrom(epoch)))
        {
            if (payload is not null)
                Add(payload);
            if (pending.WrittenCount >= RepeatedGroupBytes)
                Save();
        }
        SetPosition(slot, epoch, next);
        EndClaim(slot);
    }

    /// <summary>Forgets a slot that is being retired. Only while locked.</summary>
    /// <exception cref="IOException">Its journal cannot be read now.</exception>
    public void Forget(string slot)
    {
        isClean = false;
        if (state.Slots.TryGetValue(slot, out var known) && known.Claim is not null)
            Repeat(slot, known, fromStart: false);
        state.Remove(slot);
        LedgerState.WriteEnd(pending, slot, isGone: true);
    }

    void Clear()
    {
        pending.ResetWrittenCount();
        isReplacing = false;
        file.Close();
        state.Clear();
    }

    void CatchUp(LedgerNote before)
    {
        if (!file.IsOpen || file.Generation != before.Generation || file.Length < file.End)
        {
            Clear();
            file.Open(before.Generation);
            hasReadJournals &= !file.IsNew;
        }
        if (file.CatchUp(state) is { } damage)
        {
            // If the note names a holder, a killed process wrote the tail and no process has read it. Otherwise others may have read bytes
            // that are torn now.
            if (!damage.IsTail || before.Holder.Length == 0)
            {
                Repair(damage);
                return;
            }
            LogTornTail(path, damage.Position, damage.Bytes);
            file.CutTail();
            hasReadJournals = false;
        }
        if (hasReadJournals)
            return;
        if (ReadJournals(fromStart: false) is > 0 and var readings)
            LogCompleted(readings);
        Save();
        hasReadJournals = true;
    }

    /// <summary>
    /// Continues after damage: enters the lost readings that the journals can repeat, and writes everything to a new file, which other
    /// processes then read from its beginning. If the damage is not a torn tail, a copy of the file is kept for a person, and all journals
    /// are read from their beginning, because the readings below the slots' positions may be the lost ones.
    /// </summary>
    void Repair(LedgerDamage damage)
    {
        var kept = damage.IsTail
            ? ""
            : Quarantine.KeepCopy(path, string.Create(CultureInfo.InvariantCulture, $"ledger-{file.Generation}-{damage.Position}.damaged"));
        isReplacing = true;
        var repeated = ReadJournals(fromStart: !damage.IsTail);
        Replace();
        hasReadJournals = true;
        if (damage.IsTail)
            LogTornTail(path, damage.Position, damage.Bytes);
        else
            LogDamaged(path, damage.Bytes, damage.Position, repeated, kept);
    }

    /// <summary>Enters the readings of every journal of the data directory that the ledger may lack.</summary>
    /// <param name="fromStart">Whether to read all of each journal, not only the part behind the slot's position.</param>
    /// <returns>How many readings were entered.</returns>
    long ReadJournals(bool fromStart)
    {
        long readings = 0;
        foreach (var name in journals.Names())
        {
            readings += Repeat(name, state.Slot(name), fromStart);
            TryEndDead(name);
        }
        return readings;
    }

    /// <summary>Enters the readings of a slot's journal that the ledger may lack; returns how many.</summary>
    long Repeat(string name, LedgerSlot slot, bool fromStart)
    {
        if (journals.EpochOf(name) is not { } epoch)
            return 0;
        long readings = 0;
        long? complete = null;
        foreach (var (payload, endOffset) in journals.Read(name, epoch, fromStart ? 0 : slot.UnknownFrom(epoch)))
        {
            if (payload is not null)
                Add(payload);
            readings += payload?.Count ?? 0;
            complete = endOffset;
            if (pending.WrittenCount < RepeatedGroupBytes)
                continue;
            journals.Flush(name);
            Save();
        }
        if (complete is not { } offset)
            return 0;
        // From now on these readings count as stored, and a sender that repeats them is acknowledged: they must be on disk.
        journals.Flush(name);
        SetPosition(name, epoch, Math.Max(offset, slot.Epoch == epoch ? slot.Offset : 0));
        return readings;
    }

    /// <summary>
    /// Ends the claim of a slot that has no owner: its journal says what was stored. False when it has an owner, which will end the claim.
    /// </summary>
    bool TryEndDead(string name)
    {
        if (!state.Slots.TryGetValue(name, out var slot) || slot.Claim is null)
            return true;
        using var held = journals.TryHold(name);
        if (held is null)
            return false;
        if (Repeat(name, slot, fromStart: false) is > 0 and var readings)
            LogRecovered(name, readings);
        EndClaim(name);
        return true;
    }

    void SetPosition(string name, string epoch, long offset)
    {
        var slot = state.Slot(name);
        (slot.Epoch, slot.Offset) = (epoch, offset);
        isClean = false;
        LedgerState.WritePosition(pending, name, epoch, offset);
    }

    void EndClaim(string name)
    {
        if (!state.Slots.TryGetValue(name, out var slot) || slot.Claim is null)
            return;
        state.End(name, isStored: false);
        isClean = false;
        LedgerState.WriteEnd(pending, name, isGone: false);
    }

    IOException Unusable(Exception e) =>
        e is LedgerHeldException
            ? new LedgerHeldException($"The ledger {path} {e.Message}")
            : new IOException($"The ledger {path} cannot be used: {e.Message.TrimEnd('.')}. {DiskAdvice.For(e)}", e);

    [LoggerMessage(
        EventId = 110,
        Level = LogLevel.Warning,
        Message = "{Slot} stopped while storing; added {Readings} readings of its journal to the ledger"
    )]
    partial void LogRecovered(string slot, long readings);

    [LoggerMessage(
        EventId = 114,
        Level = LogLevel.Information,
        Message = "The ledger lacked {Readings} readings that the journals hold, as happens after a power cut; added them before "
            + "accepting messages"
    )]
    partial void LogCompleted(long readings);

    [LoggerMessage(
        EventId = 111,
        Level = LogLevel.Warning,
        Message = "{Path} ends with an incomplete entry at byte {Position}; cut {Bytes} bytes. The journals hold the same readings"
    )]
    partial void LogTornTail(string path, long position, long bytes);

    // Earlier versions wrote such an entry for a message whose numbers ran past the highest number.
    [LoggerMessage(
        EventId = 113,
        Level = LogLevel.Warning,
        Message = "{Path} has an impossible entry: {Count} readings from number {First} on of device {Device}, boot {Boot}. That "
            + "entry is ignored; such a reading is stored again if it arrives again"
    )]
    partial void LogImpossible(string path, ulong first, ulong count, string device, string boot);

    [LoggerMessage(
        EventId = 112,
        Level = LogLevel.Error,
        Message = "{Path} was corrupt: {Bytes} bytes from byte {Position} on are not entries. The file was rebuilt from its readable "
            + "entries and from the journals ({Repeated} readings were added from them). If a reading that it has lost arrives "
            + "again, it is stored twice. The corrupt file is kept as {Kept}. Check the storage (dmesg, SD card), look at the file, "
            + "then delete it"
    )]
    partial void LogDamaged(string path, long bytes, long position, long repeated, string kept);
}
