using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Empties the broker's session of an adopted slot: unsubscribes, then waits until the broker has sent everything that it held, and the
/// slot has stored it.
/// </summary>
/// <param name="subscriptions">The subscriptions that the session may have.</param>
/// <param name="mqtt">Its connection.</param>
/// <param name="handledMessages">How many received messages the slot has stored and acknowledged so far.</param>
/// <param name="options">How long the broker must be quiet.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">For a session that could not be emptied.</param>
sealed partial class SessionDrain(
    SlotSubscriptions subscriptions,
    MqttClient mqtt,
    Func<long> handledMessages,
    ForwarderOptions options,
    TimeProvider clock,
    ILogger logger
)
{
    (long Generation, long Received)? emptied;

    /// <summary>
    /// Whether the session has been emptied, and since then nothing has come and there was no new connection: then it may be discarded.
    /// </summary>
    public bool IsSessionEmpty => emptied == Arrived;

    /// <summary>The connection, and how many messages have come by it and by earlier ones.</summary>
    (long Generation, long Received) Arrived => (mqtt.State.Generation, mqtt.Counters.Received);

    /// <summary>Returns once the session is empty, the broker refuses, or <paramref name="stop"/> is requested. Throws nothing.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            (long, long) before;
            var filters = subscriptions.Possible;
            foreach (var filter in filters)
                await mqtt.UnsubscribeAsync(filter, stop);
            do
            {
                await WaitForQuietAsync(stop);
                before = Arrived;
                // The answer to a second request comes behind everything that the broker had to send.
                await mqtt.UnsubscribeAsync(filters[0], stop);
            } while (Arrived != before);
            emptied = before;
        }
        catch (OperationCanceledException)
        {
            // Asked to stop first: the slot's next owner continues.
        }
        catch (Exception e) when (e is MqttException || DiskError.IsFileProblem(e))
        {
            LogNotEmptied(subscriptions.SlotName, e.Message);
        }
    }

    /// <summary>
    /// Waits until one connection has brought nothing for long enough, with all earlier messages stored and acknowledged.
    /// </summary>
    async Task WaitForQuietAsync(CancellationToken stop)
    {
        var (since, arrived) = (clock.GetTimestamp(), Arrived);
        while (clock.GetElapsedTime(since) < options.SlotDrainQuiet)
        {
            await Task.Delay(options.SlotDrainQuiet / 10, clock, stop);
            // The broker holds back further messages while earlier ones are not acknowledged.
            var isIdle = mqtt.State.IsConnected && handledMessages() == mqtt.Counters.Received - mqtt.DroppedMessages;
            if (!isIdle || Arrived != arrived)
                (since, arrived) = (clock.GetTimestamp(), Arrived);
        }
    }

    [LoggerMessage(EventId = 132, Level = LogLevel.Warning, Message = "{Slot} could not be emptied yet: {Reason}")]
    partial void LogNotEmptied(string slot, string reason);
}
