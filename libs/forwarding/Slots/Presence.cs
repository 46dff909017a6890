using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Announces every few seconds, on <see cref="Topics.Forwarders"/>, that a slot takes readings. The intake loop calls it in each round.
/// While the loop waits for space or for the ledger, nothing is announced, and agents keep their readings. Not thread-safe.
/// </summary>
/// <param name="mqtt">The slot's client.</param>
/// <param name="options">The kind of readings, and the subscription to the topics that agents publish on. Subscriptions of mappings do not
/// count: health reports those.</param>
/// <param name="clock">For the interval.</param>
sealed class Presence(MqttClient mqtt, ForwarderOptions options, TimeProvider clock)
{
    /// <summary>A little less than the 5 s in which an idle intake loop comes round.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(4.5);

    Task saying = Task.CompletedTask;
    (long Generation, long At)? said;

    /// <summary>Publishes the announcement if it is due. Returns at once.</summary>
    public void Say()
    {
        var state = mqtt.State;
        if (
            !mqtt.IsGranted(options.Subscription)
            || !saying.IsCompleted
            || (said is { } last && last.Generation == state.Generation && clock.GetElapsedTime(last.At) < Interval)
        )
            return;
        said = (state.Generation, clock.GetTimestamp());
        saying = SayAsync();
    }

    async Task SayAsync()
    {
        try
        {
            await mqtt.PublishAsync(Topics.Forwarders(options.Kind), ReadOnlyMemory<byte>.Empty, MqttQos.AtMostOnce);
        }
        catch (MqttException)
        {
            // The connection ended, or the broker does not allow it: agents then rely on the broker's own answers.
        }
    }
}
