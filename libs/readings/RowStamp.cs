namespace ThermalStreaming.Readings;

/// <summary>What a forwarder adds to the thermal rows of a batch, besides each one's <c>stream_offset</c>. Immutable.</summary>
/// <param name="forwardedAt">When the batch was made.</param>
/// <param name="channelId">The channel that carries it.</param>
public sealed class RowStamp(DateTimeOffset forwardedAt, string channelId)
{
    /// <summary>All of the stamp except the offset's digits.</summary>
    internal byte[] Bytes { get; } =
    [
        .. ThermalRow.ForwardedAt.Bytes,
        .. Iso(forwardedAt),
        .. ThermalRow.ChannelId.Bytes,
        .. RowText.Quoted(channelId),
        .. ThermalRow.StreamOffset.Bytes,
    ];

    static byte[] Iso(DateTimeOffset instant)
    {
        var quoted = new byte[Instants.IsoLength + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        Instants.FormatIso(instant, quoted.AsSpan(1));
        return quoted;
    }
}
