using System.Text;

namespace ThermalStreaming.Bench;

/// <summary>A PUBLISH packet of QoS 1 in which packet id and sequence numbers are still to be written.</summary>
/// <param name="Device">Whose it is.</param>
/// <param name="Packet">The bytes.</param>
/// <param name="PacketIdAt">Where the packet id stands, two bytes.</param>
/// <param name="SequencesAt">Where the sequence numbers stand.</param>
/// <param name="PayloadBytes">Length of the payload.</param>
sealed record PublishTemplate(int Device, byte[] Packet, int PacketIdAt, int[] SequencesAt, int PayloadBytes)
{
    public static PublishTemplate Make(int device, string topic, string? contentType, byte[] payload, int[] sequencesInPayload)
    {
        using var body = new MemoryStream();
        Text(body, topic);
        var packetId = (int)body.Length;
        body.Write([0, 0, (byte)(contentType is null ? 0 : contentType.Length + 3)]);
        if (contentType is not null)
        {
            // Property 3, content type (MQTT 5.0 §3.3.2.3.9).
            body.WriteByte(3);
            Text(body, contentType);
        }
        var payloadAt = (int)body.Length;
        body.Write(payload);
        using var packet = new MemoryStream();
        packet.WriteByte(0x32);
        var rest = (int)body.Length;
        for (; rest >= 0x80; rest >>= 7)
            packet.WriteByte((byte)(rest | 0x80));
        packet.WriteByte((byte)rest);
        var head = (int)packet.Length;
        body.WriteTo(packet);
        return new PublishTemplate(
            device,
            packet.ToArray(),
            head + packetId,
            [.. sequencesInPayload.Select(at => head + payloadAt + at)],
            payload.Length
        );
    }

    static void Text(MemoryStream target, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        target.Write([(byte)(bytes.Length >> 8), (byte)bytes.Length]);
        target.Write(bytes);
    }
}
