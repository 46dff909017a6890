using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// When Home Assistant has started, and must be told of the device again: the broker keeps no retained messages for it. Thread-safe.
/// </summary>
sealed class HomeAssistantPresence(AgentOptions options)
{
    TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The topics that the client has to subscribe to; none while Home Assistant is not to be told.</summary>
    public IReadOnlyList<MqttSubscription> Subscriptions { get; } =
        options.HomeAssistant ? [new MqttSubscription(HomeAssistantTopics.Birth, MqttQos.AtMostOnce)] : [];

    /// <summary>Ends when Home Assistant says the next time that it has started.</summary>
    public Task NextStart => Volatile.Read(ref next).Task;

    /// <summary>Takes in what Home Assistant says; leaves other messages alone.</summary>
    public void Hear(in MqttMessage message)
    {
        if (message.Topic == HomeAssistantTopics.Birth && message.Payload.Span.SequenceEqual("online"u8))
            Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
