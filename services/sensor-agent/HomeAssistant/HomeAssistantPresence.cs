using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Notices that Home Assistant has started and needs the description again: the broker keeps no retained messages for it. Thread-safe.
/// </summary>
sealed class HomeAssistantPresence(AgentOptions options)
{
    TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The topics that the client must subscribe to; none while Home Assistant is turned off.</summary>
    public IReadOnlyList<MqttSubscription> Subscriptions { get; } =
        options.HomeAssistant ? [new MqttSubscription(HomeAssistantTopics.Birth, MqttQos.AtMostOnce)] : [];

    /// <summary>Completes the next time Home Assistant announces its start.</summary>
    public Task NextStart => Volatile.Read(ref next).Task;

    /// <summary>Handles Home Assistant's announcements; ignores other messages.</summary>
    public void Hear(in MqttMessage message)
    {
        if (message.Topic == HomeAssistantTopics.Birth && message.Payload.Span.SequenceEqual("online"u8))
            Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
