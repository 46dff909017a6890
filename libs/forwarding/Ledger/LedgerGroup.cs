using System.Buffers.Binary;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The groups that a ledger's file consists of: the length of the entries (4 bytes, little-endian), their CRC-32C (4 bytes), the entries.
/// </summary>
static class LedgerGroup
{
    /// <summary>Bytes before a group's entries.</summary>
    public const int HeaderBytes = 8;

    /// <summary>Most bytes to compute checksums of when searching for a whole group behind damage.</summary>
    const long SearchBudget = 256 << 20;

    /// <summary>
    /// Where the next whole group behind a damaged one is; the end if the search would take too long; -1 if there is none.
    /// </summary>
    public static int Find(LedgerState state, ReadOnlySpan<byte> bytes, int damaged)
    {
        // If only entries have changed, the damaged group's length is right, and the next group is where it should be.
        TryRead(bytes[damaged..], out var body);
        var neighbour = damaged + HeaderBytes + body.Length;
        if (body.Length > 0 && TryRead(bytes[neighbour..], out body) && state.TryApply(body, isTrial: true))
            return neighbour;
        var work = 0L;
        for (var at = damaged + 1; at < bytes.Length; at++)
        {
            if (TryRead(bytes[at..], out body) && state.TryApply(body, isTrial: true))
                return at;
            work += body.Length;
            if (work > SearchBudget)
                return bytes.Length;
        }
        return -1;
    }

    /// <summary>False when no group begins here; <paramref name="body"/> is then the part that was examined.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> body)
    {
        body = default;
        // Zeros, as a power cut leaves them, have the right checksum of an empty group.
        if (
            bytes.Length <= HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) is var length && (length == 0 || length > (uint)(bytes.Length - HeaderBytes))
        )
            return false;
        body = bytes.Slice(HeaderBytes, (int)length);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == Crc32C.Compute(body);
    }
}
