using MQTTnet.Packets;

namespace ThermalStreaming.Mqtt;

/// <summary>The limits that the broker announced in its CONNACK (§3.2.2.3).</summary>
sealed record BrokerLimits(ushort ReceiveMaximum, MqttQos MaximumQos, bool RetainAvailable, uint MaximumPacketSize)
{
    /// <summary>MQTTnet gives 0 for a number that the broker did not send; a number that was sent as 0 has been refused before.</summary>
    public static BrokerLimits From(MqttConnAckPacket connack) =>
        new(
            connack.ReceiveMaximum == 0 ? ushort.MaxValue : connack.ReceiveMaximum,
            (MqttQos)connack.MaximumQoS,
            connack.RetainAvailable,
            connack.MaximumPacketSize == 0 ? uint.MaxValue : connack.MaximumPacketSize
        );
}
