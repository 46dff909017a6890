using System.Buffers;

namespace ThermalStreaming.Readings;

/// <summary>What a forwarder adds to the thermal rows of a batch, besides each one's <c>stream_offset</c>. Immutable.</summary>
/// <param name="forwardedAt">When the batch was made.</param>
/// <param name="channelId">The channel that carries it.</param>
public sealed class RowStamp(DateTimeOffset forwardedAt, string channelId)
{
    /// <summary>All of it but the offset's digits.</summary>
    internal byte[] Bytes { get; } = [.. ThermalRow.ForwardedAt.Bytes, .. Iso(forwardedAt), .. ThermalRow.ChannelId.Bytes, .. RowText.Quoted(channelId), .. ThermalRow.StreamOffset.Bytes];

    static byte[] Iso(DateTimeOffset instant)
    {
        var quoted = new byte[Instants.IsoLength + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        Instants.FormatIso(instant, quoted.AsSpan(1));
        return quoted;
    }
}

/// <summary>
/// The readings of one MQTT message, decoded and checked. Immutable; a view on the payload it was decoded from, which must not change while it is used.
/// </summary>
public abstract class Payload
{
    /// <summary>Content type of a <see cref="ReadingBatch"/>.</summary>
    public const string ProtobufContentType = "application/x-protobuf";

    /// <summary>Content type of the JSON that small senders use.</summary>
    public const string JsonContentType = "application/json";

    /// <summary>
    /// Most readings of one payload. Decoded, a small one takes a hundred times its text: with this bound the largest payload takes some 20 MB, and the
    /// container has 256.
    /// </summary>
    public const int MaxReadings = 50_000;

    /// <summary>Kind of every reading in it.</summary>
    public abstract ReadingKind Kind { get; }

    /// <summary>How many readings it holds, from 1 to <see cref="MaxReadings"/>.</summary>
    public abstract int Count { get; }

    /// <summary>True when its sender marked it as published again.</summary>
    public abstract bool Replayed { get; }

    /// <summary>Identity of the reading at <paramref name="index"/>.</summary>
    public abstract ReadingIdentity Identity(int index);

    /// <summary>When the reading at <paramref name="index"/> was taken; when it was received if the sender did not say.</summary>
    public abstract DateTimeOffset ObservedAt(int index);

    /// <summary>The reading at <paramref name="index"/> of kind inverter, for validation.</summary>
    /// <exception cref="InvalidOperationException">The readings are of another kind.</exception>
    public abstract InverterReading Inverter(int index);

    /// <summary>
    /// Writes the reading at <paramref name="index"/> as one JSON object on one line: the original's keys first, in the original's order, then the added ones.
    /// </summary>
    /// <param name="index">Of the reading.</param>
    /// <param name="row">Where to. Nothing is written when this throws.</param>
    /// <param name="stamp">For thermal rows.</param>
    /// <param name="streamOffset">Place of the reading in the forwarder's journal, for thermal rows: dense per channel and journal, so a gap is a missing row.</param>
    public abstract void WriteRow(int index, IBufferWriter<byte> row, RowStamp stamp, long streamOffset);

    /// <summary>A payload with only the readings at <paramref name="indexes"/> (ascending), in the same format.</summary>
    public abstract byte[] Select(IReadOnlyList<int> indexes);

    /// <summary>Decodes what arrived on a readings topic.</summary>
    /// <param name="payload">The message's payload.</param>
    /// <param name="isJson">From <see cref="IsJson"/>.</param>
    /// <param name="deviceId">The topic's device, for readings that name none.</param>
    /// <param name="kind">The topic's kind.</param>
    /// <param name="receivedAt">When it arrived, for readings that carry no time.</param>
    /// <exception cref="PayloadException">It cannot be read; the message says why, without quoting the payload.</exception>
    public static Payload Decode(ReadOnlyMemory<byte> payload, bool isJson, string deviceId, ReadingKind kind, DateTimeOffset receivedAt)
    {
        if (payload.IsEmpty)
            throw new PayloadException("the payload is empty");
        return isJson ? JsonPayload.Decode(payload, deviceId, kind, receivedAt) : ProtobufPayload.Decode(payload, deviceId, kind);
    }

    /// <summary>Decoding stops with it at the reading that is too many.</summary>
    internal static PayloadException TooMany() => new($"holds more than {MaxReadings} readings, the most that come in one message");

    /// <summary>JSON is what says so, or starts with <c>{</c> or <c>[</c> (a ReadingBatch starts with a field tag, 0x0A to 0x32, or white space neither way).</summary>
    public static bool IsJson(ReadOnlySpan<byte> payload, string? contentType)
        => contentType is null
            ? !payload.IsEmpty && payload[0] is (byte)'{' or (byte)'['
            : contentType.StartsWith(JsonContentType, StringComparison.OrdinalIgnoreCase)
              || (!contentType.StartsWith(ProtobufContentType, StringComparison.OrdinalIgnoreCase) && !payload.IsEmpty && payload[0] is (byte)'{' or (byte)'[');
}

/// <summary>A payload that cannot be read. The message is the reason that goes with it into the dead letters.</summary>
public sealed class PayloadException(string reason) : Exception(reason);
