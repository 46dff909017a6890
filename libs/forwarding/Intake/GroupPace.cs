using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// How long a slot lets messages gather before it stores them: a group costs one fsync, however many messages share it. Not thread-safe.
/// </summary>
/// <param name="mqtt">The slot's client.</param>
/// <param name="linger">A wait that the operator has set; it always lasts in full, even if messages come one by one.</param>
/// <param name="clock">Time.</param>
sealed class GroupPace(MqttClient mqtt, TimeSpan linger, TimeProvider clock)
{
    /// <summary>Shortest time between groups, unless the broker would have to pause.</summary>
    static readonly TimeSpan interval = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Now and then, messages gather for longer. How many the broker lets be unacknowledged shows only in the most that ever were
    /// (<see cref="MqttClient.GatherAsync"/>). If messages were always stored one by one, that would never be more than one, and each would
    /// cost an fsync.
    /// </summary>
    static readonly TimeSpan probe = TimeSpan.FromMilliseconds(500),
        probeInterval = TimeSpan.FromMinutes(1);

    /// <summary>A larger group shows that the broker lets many be unacknowledged.</summary>
    const int SmallGroup = 32;

    long? lastGroup,
        lastProbe;

    /// <summary>Waits until it is time to store the messages that have come.</summary>
    /// <param name="lastCount">Messages in the previous group.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public async Task WaitAsync(int lastCount, CancellationToken cancellationToken)
    {
        if (linger > TimeSpan.Zero)
            await Task.Delay(linger, clock, cancellationToken);
        if (lastGroup is { } at && interval - clock.GetElapsedTime(at) is var pause && pause > TimeSpan.Zero)
        {
            if (lastCount < SmallGroup && (lastProbe is not { } probed || clock.GetElapsedTime(probed) >= probeInterval))
            {
                await Task.Delay(probe, clock, cancellationToken);
                lastProbe = clock.GetTimestamp();
            }
            else
            {
                await mqtt.GatherAsync(pause, cancellationToken);
            }
        }
        lastGroup = clock.GetTimestamp();
    }
}
