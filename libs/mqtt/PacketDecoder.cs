using MQTTnet.Adapter;
using MQTTnet.Exceptions;
using MQTTnet.Formatter.V5;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Finds the packets in what the broker sent, and decodes them with MQTTnet. Any bytes give either a packet that follows the rules of MQTT
/// 5.0 or <see cref="MqttProtocolException"/>. A reason code that is not in the standard counts as success or failure by its highest bit,
/// because a newer code is no reason to lose a connection. For one thread.
/// </summary>
sealed class PacketDecoder
{
    readonly MqttV5PacketDecoder decoder = new();
    readonly PacketCheck check = new();

    /// <summary>Looks for a packet at the start of the data.</summary>
    /// <param name="data">The bytes that have arrived.</param>
    /// <param name="maximumPacketSize">Largest whole packet accepted, in bytes.</param>
    /// <param name="bodyStart">Length of the fixed header.</param>
    /// <param name="packetSize">Length of the whole packet, as soon as it is known; 0 before.</param>
    /// <returns>True when the whole packet is there.</returns>
    /// <exception cref="MqttProtocolException">Not a packet, or too large; detected before waiting for its body.</exception>
    public static bool TryFrame(ReadOnlySpan<byte> data, int maximumPacketSize, out int bodyStart, out int packetSize)
    {
        bodyStart = 0;
        packetSize = 0;
        if (data.IsEmpty)
            return false;
        PacketCheck.CheckFirstByte(data[0]);
        uint length = 0;
        for (var i = 1; ; i++)
        {
            if (i > 4)
                throw MqttProtocolException.Malformed("the remaining length is longer than four bytes");
            if (i >= data.Length)
                return false;
            length |= (uint)(data[i] & 0x7F) << (7 * (i - 1));
            if ((data[i] & 0x80) != 0)
                continue;
            if (data[i] == 0 && i > 1)
                throw MqttProtocolException.Malformed("the remaining length has more bytes than needed");
            bodyStart = i + 1;
            break;
        }
        var size = (long)bodyStart + length;
        if (size > maximumPacketSize)
        {
            throw new MqttProtocolException(
                MqttReasonCode.PacketTooLarge,
                $"An MQTT packet of {size} bytes came although at most {maximumPacketSize} were announced."
            );
        }
        packetSize = (int)size;
        return data.Length >= packetSize;
    }

    /// <summary>Decodes one packet.</summary>
    /// <param name="first">Its first byte.</param>
    /// <param name="body">Everything behind the remaining length. May be changed.</param>
    /// <returns>The packet. The payload of a PUBLISH is the given memory, which saves a copy.</returns>
    /// <exception cref="MqttProtocolException">It breaks the rules.</exception>
    public MqttPacket Decode(byte first, ArraySegment<byte> body)
    {
        var (decoded, payloadStart) = Check(first, body);
        try
        {
            var packet = decoder.Decode(new ReceivedMqttPacket(first, body[..decoded], totalLength: 1 + decoded));
            if (packet is MqttPublishPacket publish)
                publish.PayloadSegment = body[payloadStart..];
            return packet;
        }
        catch (MqttProtocolViolationException e)
        {
            throw MqttProtocolException.Error(e.Message.TrimEnd('.'));
        }
    }

    (int Decoded, int PayloadStart) Check(byte first, ArraySegment<byte> body)
    {
        try
        {
            return check.Check((MqttControlPacketType)(first >> 4), (first >> 1) & 3, body);
        }
        catch (MqttProtocolViolationException)
        {
            throw MqttProtocolException.Malformed("the packet ends too soon");
        }
    }
}
