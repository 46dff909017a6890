namespace ThermalStreaming.Mqtt;

/// <summary>There is no connection: it could not be made, was refused, or was lost.</summary>
public sealed class MqttConnectionException : MqttException
{
    public MqttConnectionException(string message, Exception? inner = null)
        : base(message, inner) { }

    public MqttConnectionException(string message, MqttReasonCode reason)
        : base(message) => Reason = reason;

    /// <summary>The broker's reason, when it gave one in CONNACK or DISCONNECT.</summary>
    public MqttReasonCode? Reason { get; }
}
