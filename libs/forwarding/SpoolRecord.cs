using System.Buffers.Binary;
using System.Text;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// One record of a forwarder's journal: an MQTT message as it came, behind the few facts that are not in its payload.
/// </summary>
/// <remarks>
/// Layout: byte 0 format (1 = ReadingBatch, 2 = JSON); byte 1 <see cref="ReadingKind"/>; bytes 2–9 time of arrival, microseconds since 1970, little-endian;
/// byte 10 length of the topic's device id in UTF-8 (a device id is at most 100 characters); the device id; the payload.
/// </remarks>
static class SpoolRecord
{
    /// <summary>Longest record: what one frame of the journal holds.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    const int FixedLength = 11;

    /// <summary>JSON of a thermal row has about 800 bytes with every value delivered; names of a host at their longest add 400.</summary>
    const int RowBytesOfProtobuf = 1_200;

    /// <summary>What the keys that are missing in a JSON reading and the stamp can add to it.</summary>
    const int RowBytesOverJson = 800;

    /// <summary>The bytes before the payload.</summary>
    public static byte[] Header(bool isJson, ReadingKind kind, string deviceId, DateTimeOffset receivedAt)
    {
        var header = new byte[FixedLength + Encoding.UTF8.GetByteCount(deviceId)];
        header[0] = isJson ? (byte)2 : (byte)1;
        header[1] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(2), Instants.ToMicroseconds(receivedAt));
        header[10] = checked((byte)(header.Length - FixedLength));
        Encoding.UTF8.GetBytes(deviceId, header.AsSpan(FixedLength));
        return header;
    }

    /// <exception cref="PayloadException">It is not such a record.</exception>
    public static Payload Decode(ReadOnlyMemory<byte> record)
    {
        var span = record.Span;
        if (span.Length < FixedLength || span[0] is not (1 or 2) || span.Length < FixedLength + span[10])
            throw new PayloadException("not a record of a forwarder's journal");
        var deviceId = Encoding.UTF8.GetString(span.Slice(FixedLength, span[10]));
        return Payload.Decode(record[(FixedLength + span[10])..], span[0] == 2, deviceId, (ReadingKind)span[1], Instants.FromMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(span[2..])));
    }

    /// <summary>Upper bound of the size of <paramref name="readings"/> of the record's <paramref name="count"/> readings as JSON lines.</summary>
    public static long EstimateRowBytes(ReadOnlySpan<byte> record, int count, int readings)
        => record[0] == 2
            ? (record.Length / count + RowBytesOverJson) * (long)readings
            : RowBytesOfProtobuf * (long)readings;
}
