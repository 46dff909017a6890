namespace ThermalStreaming.Mqtt;

/// <summary>Something expected went wrong with MQTT. The message says what, with whom, and what to do.</summary>
public class MqttException : Exception
{
    public MqttException(string message)
        : base(message) { }

    public MqttException(string message, Exception? inner)
        : base(message, inner) { }
}
