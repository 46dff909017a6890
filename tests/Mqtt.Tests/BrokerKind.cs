namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The brokers that the client is tested against.</summary>
public enum BrokerKind
{
    /// <summary>A process of the broker that is shipped.</summary>
    Mosquitto,

    /// <summary>MQTTnet's server: written independently of Mosquitto, and with another idea of what a broker may leave out.</summary>
    MqttNet,
}
