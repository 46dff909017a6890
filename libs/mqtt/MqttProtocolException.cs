namespace ThermalStreaming.Mqtt;

/// <summary>The other side broke the protocol. The client closes the connection with <see cref="Reason"/> and connects again.</summary>
public sealed class MqttProtocolException(MqttReasonCode reason, string message) : MqttException(message)
{
    /// <summary>Malformed packet (0x81), protocol error (0x82), packet too large (0x95) or a more specific code.</summary>
    public MqttReasonCode Reason { get; } = reason;

    internal static MqttProtocolException Malformed(string what) => new(MqttReasonCode.MalformedPacket, $"Malformed MQTT packet: {what}.");

    internal static MqttProtocolException Error(string what) => new(MqttReasonCode.ProtocolError, $"MQTT protocol error: {what}.");
}
