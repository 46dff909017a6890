namespace ThermalStreaming.Mqtt;

/// <summary>Something expected went wrong with MQTT. The message says what, with whom, and what to do.</summary>
public class MqttException : Exception
{
    public MqttException(string message) : base(message)
    {
    }

    public MqttException(string message, Exception? inner) : base(message, inner)
    {
    }
}

/// <summary>The other side broke the protocol. The connection is closed with <see cref="Reason"/> and made anew.</summary>
public sealed class MqttProtocolException(MqttReasonCode reason, string message) : MqttException(message)
{
    /// <summary>Malformed packet (0x81), protocol error (0x82), packet too large (0x95) or a closer one.</summary>
    public MqttReasonCode Reason { get; } = reason;
}

/// <summary>No connection: it could not be made, was refused, or was lost.</summary>
public sealed class MqttConnectionException : MqttException
{
    public MqttConnectionException(string message, Exception? inner = null) : base(message, inner)
    {
    }

    public MqttConnectionException(string message, MqttReasonCode reason) : base(message) => Reason = reason;

    /// <summary>The broker's reason, when it gave one in CONNACK or DISCONNECT.</summary>
    public MqttReasonCode? Reason { get; }
}

/// <summary>The broker will not take this message, or has said at connect that it would not. Sending it again as it is changes nothing
/// until the cause is mended.</summary>
public sealed class MqttPublishRefusedException(MqttReasonCode reason, string message) : MqttException(message)
{
    public MqttReasonCode Reason { get; } = reason;
}
