namespace ThermalStreaming.Mqtt;

/// <summary>A topic filter and the QoS wanted for it, 0 or 1.</summary>
public readonly record struct MqttSubscription(string Filter, MqttQos MaximumQos = MqttQos.AtLeastOnce);
