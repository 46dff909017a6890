using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// A broker that crashes comes back with what it saved last. If that was before a slot was retired, the slot's session is there again: it
/// gets its share of the messages, and nobody fetches them. (Mosquitto 2.0 saves sessions without their shared subscriptions; others save
/// both.) So after each new connection to the broker, once no adoption is under way, it is asked for the sessions of retired slots. A slot
/// whose session it has is one without an owner again: it is adopted and emptied like any other.
/// </summary>
/// <param name="options">Of the forwarder.</param>
/// <param name="clientIdPrefix">What MQTT client ids begin with.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">For sessions that are found.</param>
sealed partial class RetiredSessions(ForwarderOptions options, string clientIdPrefix, TimeProvider clock, ILogger logger)
{
    long checkedConnections;
    long? unansweredAt;

    /// <summary>Asks, unless it was done since the last connection was made.</summary>
    /// <param name="connections">How many connections this replica's own slots have made.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public async Task CheckAsync(long connections, CancellationToken stop)
    {
        if (connections == checkedConnections || (unansweredAt is { } at && clock.GetElapsedTime(at) < options.SlotAdoptionGrace))
            return;
        unansweredAt = null;
        foreach (var name in SlotDirectory.RetiredNames(options.DataDirectory))
        {
            using var slot = SlotDirectory.TryTakeRetired(options.DataDirectory, name, clientIdPrefix);
            if (slot is null)
                continue;
            switch (await IsPresentAsync(slot.ClientId, stop))
            {
                case null:
                    // It is away again, or refuses this client id.
                    unansweredAt = clock.GetTimestamp();
                    return;
                case true:
                    slot.BringBack();
                    LogBroughtBack(name);
                    break;
            }
        }
        checkedConnections = connections;
    }

    /// <returns>Null when the broker does not say.</returns>
    async Task<bool?> IsPresentAsync(string clientId, CancellationToken stop)
    {
        // Its messages, if there are any, are not acknowledged: they come again to whoever empties the slot.
        await using var client = new MqttClient(options.Mqtt with { ClientId = clientId, Subscriptions = [] }, clock, NullLogger.Instance);
        var connected = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ConnectionChanged += state =>
        {
            if (state.IsConnected)
                connected.TrySetResult(state.SessionPresent);
        };
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = client.RunAsync(end.Token);
        try
        {
            var isPresent = await connected.Task.WaitAsync(options.Mqtt.ConnectTimeout, clock, stop);
            client.DiscardSessionOnStop = !isPresent;
            return isPresent;
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            await end.CancelAsync();
            await running;
        }
    }

    [LoggerMessage(EventId = 143, Level = LogLevel.Warning, Message =
        "The broker has the session of {Slot} again, which was retired: it was started anew from what it had saved before. The slot is emptied once more, and nothing that went to it is lost")]
    partial void LogBroughtBack(string slot);
}
