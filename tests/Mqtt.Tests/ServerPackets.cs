using System.Buffers.Binary;
using System.Text;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>
/// What a broker sends, put together byte by byte from the OASIS MQTT 5.0 standard and not by the codec under test. A property is one of
/// <see cref="Properties"/>.
/// </summary>
static class ServerPackets
{
    /// <summary>The first bytes of packets.</summary>
    public const byte Connect = 0x10,
        Puback = 0x40,
        Pubrel = 0x62,
        Subscribe = 0x82,
        Pingreq = 0xC0,
        Disconnect = 0xE0;

    public static readonly byte[] PingResponse = [0xD0, 0];

    public static byte[] Connack(bool sessionPresent = false, MqttReasonCode reason = MqttReasonCode.Success, params byte[][] properties) =>
        Packet(0x20, [sessionPresent ? (byte)1 : (byte)0, (byte)reason, .. Block(properties)]);

    public static byte[] Suback(ReadOnlySpan<byte> packetId, params MqttReasonCode[] reasons) =>
        Packet(0x90, [packetId[0], packetId[1], .. Block([]), .. reasons.Select(reason => (byte)reason)]);

    /// <summary>A PUBLISH with QoS 1, or with QoS 0 when the packet id is 0.</summary>
    public static byte[] Publish(ushort id, ReadOnlySpan<byte> payload, bool duplicate = false, string topic = "t") =>
        Packet(
            (byte)(0x30 | (id > 0 ? 2 : 0) | (duplicate ? 8 : 0)),
            [.. String(topic), .. id > 0 ? UInt16(id) : [], .. Block([]), .. payload]
        );

    public static byte[] Publish(ushort id, string payload, bool duplicate = false, string topic = "t") =>
        Publish(id, Encoding.UTF8.GetBytes(payload), duplicate, topic);

    /// <summary>A PUBLISH with QoS 2.</summary>
    public static byte[] PublishExactlyOnce(ushort id, string payload) =>
        Packet(0x34, [.. String("t"), .. UInt16(id), .. Block([]), .. Encoding.UTF8.GetBytes(payload)]);

    /// <summary>PUBACK, in the short form when all is well.</summary>
    public static byte[] Acknowledgement(ushort id, MqttReasonCode reason = MqttReasonCode.Success, params byte[][] properties) =>
        Packet(Puback, reason == MqttReasonCode.Success ? UInt16(id) : [.. UInt16(id), (byte)reason, .. Block(properties)]);

    public static byte[] Release(ushort id) => Packet(Pubrel, UInt16(id));

    /// <summary>DISCONNECT, in the form without properties when there are none.</summary>
    public static byte[] Goodbye(MqttReasonCode reason, params byte[][] properties) =>
        Packet(Disconnect, properties.Length == 0 ? [(byte)reason] : [(byte)reason, .. Block(properties)]);

    static byte[] Packet(byte first, ReadOnlySpan<byte> body) => [first, .. VariableLength(body.Length), .. body];

    static byte[] Block(byte[][] properties) => [.. VariableLength(properties.Sum(p => p.Length)), .. properties.SelectMany(p => p)];

    static byte[] VariableLength(int value)
    {
        List<byte> bytes = [];
        do
        {
            bytes.Add((byte)(value & 0x7F | (value > 0x7F ? 0x80 : 0)));
            value >>= 7;
        } while (value > 0);
        return [.. bytes];
    }

    static byte[] UInt16(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    static byte[] String(string text) => [.. UInt16((ushort)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    /// <summary>Properties of packets, identifier first (§2.2.2.2).</summary>
    public static class Properties
    {
        public static byte[] AssignedClientId(string id) => [0x12, .. String(id)];

        public static byte[] ServerKeepAlive(ushort seconds) => [0x13, .. UInt16(seconds)];

        public static byte[] ServerReference(string server) => [0x1C, .. String(server)];

        public static byte[] Reason(string text) => [0x1F, .. String(text)];

        public static byte[] ReceiveMaximum(ushort messages) => [0x21, .. UInt16(messages)];

        public static byte[] MaximumQos(byte qos) => [0x24, qos];

        public static byte[] RetainAvailable(bool available) => [0x25, available ? (byte)1 : (byte)0];

        public static byte[] MaximumPacketSize(uint bytes)
        {
            var value = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(value, bytes);
            return [0x27, .. value];
        }
    }
}
