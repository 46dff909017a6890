using System.Buffers;
using System.Runtime.InteropServices;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The content of a ledger's file, in memory. Applying the same entries in the same order gives every process the same state. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// An entry is a byte and its fields. Numbers are varints; a text is a varint length and UTF-8; a kind is a <see cref="ReadingKind"/>.
/// <list type="table">
/// <item>1 stream, kind, device id, boot id: defines a stream's number</item>
/// <item>2 stream, first, count: these sequence numbers are stored</item>
/// <item>3 slot, epoch, offset: the readings of that slot's journal below the offset are all in the ledger</item>
/// <item>4 slot: the slot is gone</item>
/// <item>5 slot, epoch, offset, owner: the slot claims the readings of the entries 6 that follow; it appends them at that offset or
/// later</item>
/// <item>6 stream, first, count: readings of the claim that began last</item>
/// <item>7 slot, offset: the slot's claimed readings are stored, all below that offset</item>
/// <item>8 slot: the slot's claim has ended; entries 2 say which of its readings are stored</item>
/// <item>9 stream: the stream is forgotten, to stay within the bounds</item>
/// <item>10 count: so many streams were forgotten before this file was begun</item>
/// <item>11 stream, first, count, count times 4 bytes: fingerprints of these readings, little-endian</item>
/// </list>
/// </remarks>
sealed class LedgerState
{
    /// <summary>
    /// A stream's number that is further than this from the last one is damage: a list of that length would take all memory.
    /// </summary>
    const int MaxNumberStep = 1 << 20;

    LedgerClaim? begun;

    public StoredReadings Readings { get; private set; } = new();

    /// <summary>Most memory of <see cref="Readings"/>, in bytes.</summary>
    public long MaxBytes
    {
        get => Readings.MaxBytes;
        init => Readings = new StoredReadings { MaxBytes = value };
    }

    /// <summary>The slots by name.</summary>
    public Dictionary<string, LedgerSlot> Slots { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Called for an entry 2 or 6 whose numbers run past the highest number, with the stream, the first number and the count. Such an entry
    /// is left out.
    /// </summary>
    public Action<StreamKey, ulong, ulong>? OnImpossible { get; init; }

    public LedgerSlot Slot(string name)
    {
        if (!Slots.TryGetValue(name, out var slot))
            Slots[name] = slot = new LedgerSlot();
        return slot;
    }

    public void Clear()
    {
        Readings = new StoredReadings { MaxBytes = MaxBytes };
        Slots.Clear();
        begun = null;
    }

    /// <summary>Begins a slot's claim.</summary>
    public void Begin(LedgerClaim claim)
    {
        End(claim.Slot, isStored: false);
        Slot(claim.Slot).Claim = claim;
    }

    /// <summary>Ends the slot's claim, if it has one.</summary>
    public void End(string slot, bool isStored)
    {
        if (!Slots.TryGetValue(slot, out var known) || known.Claim is not { } claim)
            return;
        Readings.End(claim, isStored);
        known.Claim = null;
    }

    /// <summary>Notes that the slot's claimed readings are stored, all below <paramref name="offset"/> of its journal.</summary>
    public void Confirm(string slot, long offset)
    {
        if (Slots.TryGetValue(slot, out var known) && known.Claim is { } claim)
            (known.Epoch, known.Offset) = (claim.Epoch, offset);
        End(slot, isStored: true);
    }

    public void Remove(string slot)
    {
        End(slot, isStored: false);
        Slots.Remove(slot);
    }

    /// <summary>Applies the entries of a group.</summary>
    /// <param name="body">The entries.</param>
    /// <param name="isTrial">Changes nothing; only says whether all entries are known.</param>
    /// <returns>False when there is an entry that this release does not know.</returns>
    public bool TryApply(ReadOnlySpan<byte> body, bool isTrial)
    {
        var entries = new LedgerEncoding.Reader(body);
        while (entries.TryReadTag(out var tag))
        {
            var isKnown = tag switch
            {
                1 => TryDefine(ref entries, isTrial),
                2 or 6 => TryInclude(ref entries, isClaim: tag == 6, isTrial),
                3 or 5 => TryReadSlot(ref entries, isClaim: tag == 5, isTrial),
                4 or 8 => TryEnd(ref entries, isGone: tag == 4, isTrial),
                7 => TryConfirm(ref entries, isTrial),
                11 => TryKeep(ref entries, isTrial),
                9 or 10 => TryForget(ref entries, isCount: tag == 10, isTrial),
                _ => false,
            };
            if (!isKnown)
                return false;
        }
        return true;
    }

    bool TryDefine(ref LedgerEncoding.Reader entries, bool isTrial)
    {
        if (
            !entries.TryReadNumber(out var number)
            || number > (ulong)(Readings.NextNumber + MaxNumberStep)
            || !entries.TryReadNumber(out var kind)
            || !entries.TryReadText(out var device)
            || !entries.TryReadText(out var boot)
        )
            return false;
        if (!isTrial)
            Readings.Define(new StreamKey(device, boot, (ReadingKind)kind), (int)number);
        return true;
    }

    bool TryInclude(ref LedgerEncoding.Reader entries, bool isClaim, bool isTrial)
    {
        if (!entries.TryReadNumber(out var number) || !entries.TryReadNumber(out var first) || !entries.TryReadNumber(out var count))
            return false;
        if (isTrial || Readings.Numbered(number) is not { } stream)
            return true;
        if (count == 0 || count - 1 > ulong.MaxValue - first)
            OnImpossible?.Invoke(stream.Key, first, count);
        else if (!isClaim)
            Readings.Include(stream, first, first + (count - 1));
        else if (begun is not null)
            StoredReadings.Claim(begun, stream, first, first + (count - 1));
        return true;
    }

    bool TryReadSlot(ref LedgerEncoding.Reader entries, bool isClaim, bool isTrial)
    {
        var owner = "";
        if (
            !entries.TryReadText(out var name)
            || !entries.TryReadText(out var epoch)
            || !entries.TryReadNumber(out var offset)
            || (isClaim && !entries.TryReadText(out owner))
        )
            return false;
        if (isTrial)
            return true;
        if (isClaim)
        {
            Begin(begun = new LedgerClaim(name, epoch, (long)offset, owner));
            return true;
        }
        var slot = Slot(name);
        (slot.Epoch, slot.Offset) = (epoch, (long)offset);
        return true;
    }

    bool TryEnd(ref LedgerEncoding.Reader entries, bool isGone, bool isTrial)
    {
        if (!entries.TryReadText(out var name))
            return false;
        if (!isTrial && isGone)
            Remove(name);
        else if (!isTrial)
            End(name, isStored: false);
        return true;
    }

    bool TryConfirm(ref LedgerEncoding.Reader entries, bool isTrial)
    {
        if (!entries.TryReadText(out var name) || !entries.TryReadNumber(out var offset))
            return false;
        if (!isTrial)
            Confirm(name, (long)offset);
        return true;
    }

    bool TryForget(ref LedgerEncoding.Reader entries, bool isCount, bool isTrial)
    {
        if (!entries.TryReadNumber(out var number))
            return false;
        if (isTrial)
            return true;
        if (isCount)
            Readings.Forgotten = (long)number;
        else if (Readings.Numbered(number) is { } stream)
            Readings.Forget(stream);
        return true;
    }

    bool TryKeep(ref LedgerEncoding.Reader entries, bool isTrial)
    {
        if (
            !entries.TryReadNumber(out var number)
            || !entries.TryReadNumber(out var first)
            || !entries.TryReadNumber(out var count)
            || count > int.MaxValue / sizeof(uint)
            || !entries.TryReadBytes((int)count * sizeof(uint), out var bytes)
        )
            return false;
        if (isTrial || Readings.Numbered(number) is not { } stream)
            return true;
        Readings.Keep(stream, first, MemoryMarshal.Cast<byte, uint>(bytes));
        return true;
    }

    public static void WriteFingerprints(ArrayBufferWriter<byte> target, StoredStream stream, ulong first, ReadOnlySpan<uint> fingerprints)
    {
        target.WriteTag(11);
        target.WriteNumber((ulong)stream.Number);
        target.WriteNumber(first);
        target.WriteNumber((ulong)fingerprints.Length);
        target.Write(MemoryMarshal.AsBytes(fingerprints));
    }

    public static void WriteDefinition(ArrayBufferWriter<byte> target, StoredStream stream)
    {
        target.WriteTag(1);
        target.WriteNumber((ulong)stream.Number);
        target.WriteNumber((ulong)stream.Key.Kind);
        target.WriteText(stream.Key.DeviceId);
        target.WriteText(stream.Key.BootId);
    }

    /// <param name="target">Where to.</param>
    /// <param name="isClaim">Whether the readings are claimed (6) or stored (2).</param>
    /// <param name="stream">Their stream.</param>
    /// <param name="first">The first number.</param>
    /// <param name="last">The last number, inclusive.</param>
    public static void WriteRange(ArrayBufferWriter<byte> target, bool isClaim, StoredStream stream, ulong first, ulong last)
    {
        target.WriteTag(isClaim ? (byte)6 : (byte)2);
        target.WriteNumber((ulong)stream.Number);
        target.WriteNumber(first);
        target.WriteNumber(last - first + 1);
    }

    public static void WritePosition(ArrayBufferWriter<byte> target, string slot, string epoch, long offset)
    {
        target.WriteTag(3);
        target.WriteText(slot);
        target.WriteText(epoch);
        target.WriteNumber((ulong)offset);
    }

    public static void WriteClaim(ArrayBufferWriter<byte> target, LedgerClaim claim)
    {
        target.WriteTag(5);
        target.WriteText(claim.Slot);
        target.WriteText(claim.Epoch);
        target.WriteNumber((ulong)claim.From);
        target.WriteText(claim.Owner);
        foreach (var run in claim.Runs)
            WriteRange(target, isClaim: true, run.Stream, run.First, run.Last);
    }

    public static void WriteConfirmed(ArrayBufferWriter<byte> target, string slot, long offset)
    {
        target.WriteTag(7);
        target.WriteText(slot);
        target.WriteNumber((ulong)offset);
    }

    /// <param name="target">Where to.</param>
    /// <param name="slot">Name of the slot.</param>
    /// <param name="isGone">Whether the slot is gone (4) or only its claim has ended (8).</param>
    public static void WriteEnd(ArrayBufferWriter<byte> target, string slot, bool isGone)
    {
        target.WriteTag(isGone ? (byte)4 : (byte)8);
        target.WriteText(slot);
    }

    public static void WriteForgotten(ArrayBufferWriter<byte> target, StoredStream stream)
    {
        target.WriteTag(9);
        target.WriteNumber((ulong)stream.Number);
    }

    /// <summary>Writes everything, the streams numbered from 0 in the order of their last use.</summary>
    /// <param name="entries">Filled for each group.</param>
    /// <param name="groupBytes">About the size of a group: damage to one group does not cost the others.</param>
    /// <param name="endGroup">Writes the entries and clears them.</param>
    public void WriteAll(ArrayBufferWriter<byte> entries, int groupBytes, Action endGroup)
    {
        entries.WriteTag(10);
        entries.WriteNumber((ulong)Readings.Forgotten);
        var order = Readings.ByLastUse;
        var (run, runFirst) = (new List<uint>(), 0UL);
        Readings.Renumber(order);
        foreach (var stream in order)
        {
            WriteDefinition(entries, stream);
            foreach (var (first, last) in stream.Stored.Ranges)
            {
                if (entries.WrittenCount >= groupBytes)
                {
                    endGroup();
                    WriteDefinition(entries, stream);
                }
                WriteRange(entries, isClaim: false, stream, first, last);
            }
            foreach (var (sequence, fingerprint) in stream.Fingerprints?.All() ?? [])
            {
                if (run.Count > 0 && sequence != runFirst + (ulong)run.Count)
                    EndRun(stream);
                runFirst = run.Count == 0 ? sequence : runFirst;
                run.Add(fingerprint);
            }
            EndRun(stream);
        }
        foreach (var (name, slot) in Slots)
        {
            if (slot.Epoch.Length > 0)
                WritePosition(entries, name, slot.Epoch, slot.Offset);
            if (slot.Claim is { } claim)
                WriteClaim(entries, claim);
        }
        endGroup();

        void EndRun(StoredStream stream)
        {
            if (run.Count > 0)
                WriteFingerprints(entries, stream, runFirst, CollectionsMarshal.AsSpan(run));
            run.Clear();
        }
    }

    /// <summary>Estimate of what <see cref="WriteAll"/> writes, in bytes.</summary>
    public long WrittenBytes => Readings.StreamCount * 64L + Readings.RangeCount * 12L + Readings.FingerprintBytes;
}
