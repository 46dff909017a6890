using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Takes packets out of the stream from the broker. Its buffer holds each packet in one piece, as MQTTnet's decoder needs it: a
/// PipeReader's segments would have to be copied together first. For one thread.
/// </summary>
sealed class PacketReader(Stream stream, int maximumPacketSize, MqttCounters counters)
{
    const int UsualCapacity = 64 * 1024;

    readonly PacketDecoder decoder = new();
    byte[] buffer = new byte[UsualCapacity];
    int start;
    int end;
    int bodyStart;
    int packetSize;

    /// <summary>Bytes that the last <see cref="FillAsync"/> brought.</summary>
    public int LastRead { get; private set; }

    /// <summary>At least a part of a packet has come.</summary>
    public bool IsInPacket => end > start;

    /// <summary>Type of the packet at the start, as soon as its first byte has come; 0 before.</summary>
    public MqttControlPacketType Type => end > start ? (MqttControlPacketType)(buffer[start] >> 4) : 0;

    /// <summary>The packet at the start is a PUBLISH that must be acknowledged.</summary>
    public bool IsMessageToAcknowledge => Type == MqttControlPacketType.Publish && (buffer[start] & 6) != 0;

    /// <summary>Whether a whole packet has come.</summary>
    /// <exception cref="MqttProtocolException">It is not a packet, or larger than was announced to the broker.</exception>
    public bool HasPacket() => PacketDecoder.TryFrame(buffer.AsSpan(start, end - start), maximumPacketSize, out bodyStart, out packetSize);

    /// <summary>Takes the packet that <see cref="HasPacket"/> has found.</summary>
    /// <returns>The packet. The payload of a PUBLISH is memory of this reader and valid until the next <see cref="FillAsync"/>.</returns>
    /// <exception cref="MqttProtocolException">The packet breaks the rules of MQTT 5.0.</exception>
    public MqttPacket Take()
    {
        var body = new ArraySegment<byte>(buffer, start + bodyStart, packetSize - bodyStart);
        var first = buffer[start];
        start += packetSize;
        packetSize = 0;
        return decoder.Decode(first, body);
    }

    /// <summary>Reads once from the stream. The buffer grows as data comes, never because of a length field alone.</summary>
    /// <returns>False at the end of the stream.</returns>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (start == end)
        {
            start = end = 0;
            if (buffer.Length > 4 * UsualCapacity)
                buffer = new byte[UsualCapacity];
        }
        else if (start > 0 && (end == buffer.Length || start + packetSize > buffer.Length))
        {
            Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
        }
        if (end == buffer.Length)
            Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, Math.Max(packetSize, buffer.Length + UsualCapacity)));
        var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
        if (read == 0)
            return false;
        end += read;
        LastRead = read;
        counters.AddReceived(read);
        return true;
    }

    /// <summary>Reads and discards until the broker closes.</summary>
    public async Task DrainAsync()
    {
        while (await stream.ReadAsync(buffer) > 0) { }
    }
}
