using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// One record of a journal, the agent's outbox or a forwarder's spool: the payload of an MQTT message behind the few facts that are not in it. A view on the
/// record, which must not change while it is used.
/// </summary>
/// <remarks>
/// Layout: byte 0 format (1 = ReadingBatch, 2 = JSON); byte 1 <see cref="ReadingKind"/>; bytes 2–9 <see cref="StoredAt"/>, microseconds since 1970,
/// little-endian; byte 10 length of the topic's device id in UTF-8 (a device id is at most 100 characters); the device id; the payload.
/// </remarks>
public readonly struct StoredPayload
{
    const int TimeAt = 2, LengthAt = 10, FixedLength = 11;

    readonly ReadOnlyMemory<byte> record;

    StoredPayload(ReadOnlyMemory<byte> record) => this.record = record;

    /// <summary>Whether <see cref="Bytes"/> are JSON, and not a <see cref="ReadingBatch"/>.</summary>
    public bool IsJson => IsJsonRecord(record.Span);

    /// <summary>Kind of its readings.</summary>
    public ReadingKind Kind => (ReadingKind)record.Span[1];

    /// <summary>When the message came, or the batch was stored.</summary>
    public DateTimeOffset StoredAt => Instants.FromMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(record.Span[TimeAt..]));

    /// <summary>The topic's device.</summary>
    public string DeviceId => Encoding.UTF8.GetString(record.Span.Slice(FixedLength, record.Span[LengthAt]));

    /// <summary>The payload as it came.</summary>
    public ReadOnlyMemory<byte> Bytes => record[(FixedLength + record.Span[LengthAt])..];

    /// <summary>The bytes before the payload.</summary>
    public static byte[] Header(bool isJson, ReadingKind kind, string deviceId, DateTimeOffset storedAt)
    {
        var header = new byte[FixedLength + Encoding.UTF8.GetByteCount(deviceId)];
        header[0] = isJson ? (byte)2 : (byte)1;
        header[1] = (byte)kind;
        Stamp(header, storedAt);
        header[LengthAt] = checked((byte)(header.Length - FixedLength));
        Encoding.UTF8.GetBytes(deviceId, header.AsSpan(FixedLength));
        return header;
    }

    /// <summary>Sets the time in a header, which may be used again and again.</summary>
    public static void Stamp(Span<byte> header, DateTimeOffset storedAt) => BinaryPrimitives.WriteInt64LittleEndian(header[TimeAt..], Instants.ToMicroseconds(storedAt));

    /// <summary>False when the bytes are not such a record.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> record, out StoredPayload stored)
    {
        stored = new(record);
        var span = record.Span;
        return span.Length >= FixedLength && span[0] is 1 or 2 && span[1] is 1 or 2 && span.Length >= FixedLength + span[LengthAt];
    }

    /// <summary><see cref="IsJson"/> of what is known to be such a record.</summary>
    public static bool IsJsonRecord(ReadOnlySpan<byte> record) => record[0] == 2;

    /// <summary>The readings of a record.</summary>
    /// <exception cref="PayloadException">It is not such a record, or its payload cannot be read.</exception>
    public static Payload Decode(ReadOnlyMemory<byte> record) => Parse(record).Decode();

    /// <summary>The readings of a record as the rows they become, one line each. Nothing has forwarded them yet: <c>forwarded_at</c> is when they were stored.</summary>
    /// <exception cref="PayloadException">It is not such a record, or its payload cannot be read.</exception>
    public static IEnumerable<string> Format(ReadOnlyMemory<byte> record)
    {
        var stored = Parse(record);
        var payload = stored.Decode();
        var stamp = new RowStamp(stored.StoredAt, "");
        for (var i = 0; i < payload.Count; i++)
        {
            var row = new ArrayBufferWriter<byte>();
            payload.WriteRow(i, row, stamp, 0);
            yield return Encoding.UTF8.GetString(row.WrittenSpan);
        }
    }

    static StoredPayload Parse(ReadOnlyMemory<byte> record) => TryParse(record, out var stored) ? stored : throw new PayloadException("not a record of readings");

    Payload Decode() => Payload.Decode(Bytes, IsJson, DeviceId, Kind, StoredAt);
}
