using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>A record of a forwarder's journal, which holds a <see cref="StoredPayload"/>: its bounds, and how it is read.</summary>
static class JournalPayload
{
    /// <summary>Longest record: what one frame of the journal holds.</summary>
    public const int MaxBytes = Frame.MaxPayloadBytes;

    /// <summary>A thermal row's JSON has about 900 bytes with every value delivered; the longest names of a host add 400.</summary>
    const int RowBytesOfProtobuf = 1_300;

    /// <summary>Bytes that the stamp and the keys missing in a JSON reading can add to its row.</summary>
    const int RowBytesOverJson = 800;

    /// <summary>Decodes a record; null when it cannot be read.</summary>
    /// <inheritdoc cref="StoredPayload.Decode"/>
    public static Payload? TryDecode(ReadOnlyMemory<byte> record, string? journal = null, long firstOffset = 0)
    {
        try
        {
            return StoredPayload.Decode(record, journal, firstOffset);
        }
        catch (PayloadException)
        {
            return null;
        }
    }

    /// <summary>
    /// Upper bound of the size of <paramref name="readings"/> of the record's <paramref name="count"/> readings as JSON lines.
    /// </summary>
    public static long EstimateRowBytes(ReadOnlySpan<byte> record, int count, int readings) =>
        StoredPayload.IsJsonRecord(record)
            ? (record.Length / count + RowBytesOverJson) * (long)readings
            : RowBytesOfProtobuf * (long)readings;
}
