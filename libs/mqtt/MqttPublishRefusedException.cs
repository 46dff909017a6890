namespace ThermalStreaming.Mqtt;

/// <summary>The broker will not take this message, or has said at connect that it would not. Sending it again as it is changes nothing
/// until the cause is removed.</summary>
public sealed class MqttPublishRefusedException(MqttReasonCode reason, string message) : MqttException(message)
{
    public MqttReasonCode Reason { get; } = reason;
}
