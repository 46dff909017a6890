using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// One record of the outbox: a serialised <see cref="ReadingBatch"/> behind what is needed to publish it without reading it.
/// </summary>
/// <remarks>
/// Layout, the same as in a forwarder's spool: byte 0 format (1 = ReadingBatch); byte 1 <see cref="ReadingKind"/>; bytes 2–9 time of the append, microseconds
/// since 1970, little-endian; byte 10 length of the device id in UTF-8; the device id; the batch.
/// </remarks>
static class OutboxRecord
{
    /// <summary>
    /// <c>replayed = true</c> as a protobuf field. Appended to a batch that does not have the field, it is the same batch with it: in protobuf the order of
    /// fields is free. So a batch is marked without touching its other bytes.
    /// </summary>
    static ReadOnlySpan<byte> ReplayedMark => [ReadingBatch.ReplayedFieldNumber << 3, 1];

    const int FixedLength = 11;

    /// <summary>The bytes before the batch. The time is filled in by <see cref="Stamp"/>.</summary>
    public static byte[] Header(ReadingKind kind, string deviceId)
    {
        var header = new byte[FixedLength + Encoding.UTF8.GetByteCount(deviceId)];
        header[0] = 1;
        header[1] = (byte)kind;
        header[10] = checked((byte)(header.Length - FixedLength));
        Encoding.UTF8.GetBytes(deviceId, header.AsSpan(FixedLength));
        return header;
    }

    public static void Stamp(Span<byte> header, DateTimeOffset appendedAt)
        => BinaryPrimitives.WriteInt64LittleEndian(header[2..], Instants.ToMicroseconds(appendedAt));

    /// <summary>False when the bytes are not such a record.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> record, out ReadingKind kind, out string deviceId, out DateTimeOffset appendedAt, out ReadOnlyMemory<byte> batch)
    {
        (kind, deviceId, appendedAt, batch) = (default, "", default, default);
        var span = record.Span;
        if (span.Length < FixedLength || span[0] != 1 || span[1] is not (1 or 2) || span.Length < FixedLength + span[10])
            return false;
        kind = (ReadingKind)span[1];
        deviceId = Encoding.UTF8.GetString(span.Slice(FixedLength, span[10]));
        appendedAt = Instants.FromMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(span[2..]));
        batch = record[(FixedLength + span[10])..];
        return true;
    }

    /// <summary>The readings of a record as the rows they will be, one line each; <c>forwarded_at</c> is when they were stored.</summary>
    /// <exception cref="PayloadException">The record is not one of an outbox.</exception>
    public static IEnumerable<string> Format(ReadOnlyMemory<byte> record)
    {
        if (!TryParse(record, out var kind, out var deviceId, out var appendedAt, out var batch))
            throw new PayloadException("not a record of an agent's outbox");
        var payload = ThermalStreaming.Readings.Payload.Decode(batch, isJson: false, deviceId, kind, appendedAt);
        for (var i = 0; i < payload.Count; i++)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer))
                payload.WriteRow(i, json, new RowStamp(appendedAt, "", 0));
            yield return Encoding.UTF8.GetString(buffer.WrittenSpan);
        }
    }

    /// <summary>A copy of the batch to publish.</summary>
    public static byte[] Payload(ReadOnlySpan<byte> batch, bool replayed)
    {
        var payload = GC.AllocateUninitializedArray<byte>(batch.Length + (replayed ? ReplayedMark.Length : 0));
        batch.CopyTo(payload);
        if (replayed)
            ReplayedMark.CopyTo(payload.AsSpan(batch.Length));
        return payload;
    }
}
