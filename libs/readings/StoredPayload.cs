using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// One record of a journal, the agent's outbox or a forwarder's store: the payload of an MQTT message, preceded by the few facts that are
/// not in it. A view of the record, which must not change while the view is used.
/// </summary>
/// <remarks>
/// Layout: byte 0 format (1 = ReadingBatch, 2 = JSON, 3 and 4 the same with an <see cref="AssignedIdentity"/>); byte 1
/// <see cref="ReadingKind"/>; bytes 2–9 <see cref="StoredAt"/>, microseconds since 1970, little-endian; byte 10 length of the topic's
/// device id in UTF-8 (a device id is at most 100 characters); the device id; in formats 3 and 4 the assigned boot id, behind a byte with
/// its length, and the sequence number of the first reading, 8 bytes, little-endian; the payload.
/// </remarks>
public readonly struct StoredPayload
{
    const int TimeAt = 2,
        LengthAt = 10,
        FixedLength = 11,
        SequenceLength = 8;

    readonly ReadOnlyMemory<byte> record;

    StoredPayload(ReadOnlyMemory<byte> record) => this.record = record;

    /// <summary>Whether <see cref="Bytes"/> are JSON, and not a <see cref="ReadingBatch"/>.</summary>
    public bool IsJson => IsJsonRecord(record.Span);

    /// <summary>Kind of its readings.</summary>
    public ReadingKind Kind => (ReadingKind)record.Span[1];

    /// <summary>When the message came, or the batch was stored. A reading that is taken in again keeps it.</summary>
    public DateTimeOffset StoredAt => Instants.FromMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(record.Span[TimeAt..]));

    /// <summary>The topic's device.</summary>
    public string DeviceId => Encoding.UTF8.GetString(record.Span.Slice(FixedLength, record.Span[LengthAt]));

    /// <summary>The identity that readings without one were given when they were first stored elsewhere; null for most.</summary>
    public AssignedIdentity? Assigned
    {
        get
        {
            if (!HasAssigned(record.Span))
                return null;
            var rest = record.Span[(FixedLength + record.Span[LengthAt])..];
            return new(Encoding.UTF8.GetString(rest.Slice(1, rest[0])), BinaryPrimitives.ReadUInt64LittleEndian(rest[(1 + rest[0])..]));
        }
    }

    /// <summary>The payload as it came.</summary>
    public ReadOnlyMemory<byte> Bytes => record[HeaderLength(record.Span)..];

    /// <summary>The bytes before the payload.</summary>
    public static byte[] Header(bool isJson, ReadingKind kind, string deviceId, DateTimeOffset storedAt, AssignedIdentity? assigned = null)
    {
        var deviceLength = Encoding.UTF8.GetByteCount(deviceId);
        var bootLength = assigned is null ? 0 : Encoding.UTF8.GetByteCount(assigned.BootId);
        var header = new byte[FixedLength + deviceLength + (assigned is null ? 0 : 1 + bootLength + SequenceLength)];
        header[0] = (byte)((isJson ? 2 : 1) + (assigned is null ? 0 : 2));
        header[1] = (byte)kind;
        Stamp(header, storedAt);
        header[LengthAt] = checked((byte)deviceLength);
        Encoding.UTF8.GetBytes(deviceId, header.AsSpan(FixedLength));
        if (assigned is not null)
        {
            var rest = header.AsSpan(FixedLength + deviceLength);
            rest[0] = checked((byte)bootLength);
            Encoding.UTF8.GetBytes(assigned.BootId, rest[1..]);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[(1 + bootLength)..], assigned.FirstSequence);
        }
        return header;
    }

    /// <summary>Sets the time in a header, which may be reused.</summary>
    public static void Stamp(Span<byte> header, DateTimeOffset storedAt) =>
        BinaryPrimitives.WriteInt64LittleEndian(header[TimeAt..], Instants.ToMicroseconds(storedAt));

    /// <summary>False when the bytes are not such a record.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> record, out StoredPayload stored)
    {
        stored = new(record);
        var span = record.Span;
        return span.Length >= FixedLength
            && span[0] is >= 1 and <= 4
            && span[1] is 1 or 2
            && HeaderLength(span) is var length
            && length >= FixedLength
            && length <= span.Length;
    }

    /// <summary><see cref="IsJson"/> of bytes that are known to be such a record.</summary>
    public static bool IsJsonRecord(ReadOnlySpan<byte> record) => record[0] is 2 or 4;

    /// <summary>The readings of a record.</summary>
    /// <param name="record">As it is in the journal.</param>
    /// <param name="journal">The boot id of readings without identity that this journal was the first to store (<see
    /// cref="AssignedIdentity.BootIdOf"/>); null gives them none.</param>
    /// <param name="firstOffset">Offset of the record's first reading in that journal.</param>
    /// <exception cref="PayloadException">It is not such a record, or its payload cannot be read.</exception>
    public static Payload Decode(ReadOnlyMemory<byte> record, string? journal = null, long firstOffset = 0)
    {
        var stored = Parse(record);
        return stored.Decode(stored.Assigned ?? (journal is null ? null : new AssignedIdentity(journal, (ulong)firstOffset)));
    }

    /// <summary>
    /// The readings of a record as the rows they become, one line each. They have not been forwarded yet: <c>forwarded_at</c> is when they
    /// were stored.
    /// </summary>
    /// <exception cref="PayloadException">It is not such a record, or its payload cannot be read.</exception>
    public static IEnumerable<string> Format(ReadOnlyMemory<byte> record)
    {
        var stored = Parse(record);
        var payload = stored.Decode(stored.Assigned);
        var stamp = new RowStamp(stored.StoredAt, "");
        for (var i = 0; i < payload.Count; i++)
        {
            var row = new ArrayBufferWriter<byte>();
            payload.WriteRow(i, row, stamp, 0);
            yield return Encoding.UTF8.GetString(row.WrittenSpan);
        }
    }

    static StoredPayload Parse(ReadOnlyMemory<byte> record) =>
        TryParse(record, out var stored) ? stored : throw new PayloadException("not a record of readings");

    static bool HasAssigned(ReadOnlySpan<byte> record) => record[0] is 3 or 4;

    /// <summary>−1 when the record ends within the header.</summary>
    static int HeaderLength(ReadOnlySpan<byte> record)
    {
        var length = FixedLength + record[LengthAt];
        if (!HasAssigned(record))
            return length;
        return length < record.Length ? length + 1 + record[length] + SequenceLength : -1;
    }

    Payload Decode(AssignedIdentity? assigned) => Payload.Decode(Bytes, IsJson, DeviceId, Kind, StoredAt, assigned);
}
