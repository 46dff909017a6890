namespace ThermalStreaming.Mqtt;

/// <summary>The broker refuses this message, or said at connect that it would. Sending it again unchanged does not help until the cause is
/// removed.</summary>
public sealed class MqttPublishRefusedException(MqttReasonCode reason, string message) : MqttException(message)
{
    public MqttReasonCode Reason { get; } = reason;
}
