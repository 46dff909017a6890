using System.Buffers;
using MQTTnet.Formatter;
using MQTTnet.Formatter.V5;
using MQTTnet.Packets;

namespace ThermalStreaming.Mqtt;

/// <summary>Encodes packets with MQTTnet and gathers their bytes, one packet after another, until they are sent. Not thread-safe.</summary>
sealed class PacketBuffer
{
    const int UsualCapacity = 64 * 1024;
    const int KeptCapacity = 1024 * 1024;
    const int UsualHeader = 256;
    const int KeptHeader = 4096;

    readonly MqttBufferWriter header = new(UsualHeader, KeptHeader);
    readonly MqttV5PacketEncoder encoder;
    ArrayBufferWriter<byte> bytes = new(UsualCapacity);

    public PacketBuffer() => encoder = new MqttV5PacketEncoder(header);

    /// <summary>Number of bytes gathered.</summary>
    public int Length => bytes.WrittenCount;

    /// <summary>The bytes gathered. Valid until the next call of another member.</summary>
    public ReadOnlyMemory<byte> Written => bytes.WrittenMemory;

    /// <summary>Appends a packet. MQTTnet returns the payload of a PUBLISH as it is, so it is copied only once, into this buffer.</summary>
    public void Add(MqttPacket packet)
    {
        var encoded = encoder.Encode(packet);
        bytes.Write(encoded.Packet.AsSpan());
        foreach (var piece in encoded.Payload)
            bytes.Write(piece.Span);
    }

    /// <summary>
    /// Appends a DISCONNECT that ends the session: Session Expiry Interval 0 (§3.14.2.2.2). MQTTnet takes 0 for "not given" and leaves it
    /// out, and the broker would keep the session.
    /// </summary>
    public void AddDisconnectAndDiscard() => bytes.Write<byte>([0xE0, 0x07, 0x00, 0x05, 0x11, 0x00, 0x00, 0x00, 0x00]);

    /// <summary>Empties the buffer. Releases the memory that a very large message made it take.</summary>
    public void Clear()
    {
        bytes.ResetWrittenCount();
        if (bytes.Capacity > KeptCapacity)
            bytes = new ArrayBufferWriter<byte>(UsualCapacity);
        header.Cleanup();
    }
}
