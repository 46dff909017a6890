using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Finds sessions at the broker that get their share of the messages and that no slot fetches. There are two ways to get one. A broker that crashes comes back with
/// what it saved last; if that was before a slot was retired, the slot's session is there again. And a data volume that is lost, or a new SD card, takes the slots with it,
/// while the sessions of its higher slots stay at the broker. So after each new connection to the broker, once no adoption is under way, it is asked for the sessions of
/// retired slots, and on a new volume also for those of slots that may have been. A slot whose session it has becomes one without an owner: it is adopted and emptied
/// like any other.
/// </summary>
/// <param name="options">Of the forwarder.</param>
/// <param name="clientIdPrefix">What MQTT client ids begin with.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">For sessions that are found.</param>
sealed partial class RetiredSessions(ForwarderOptions options, string clientIdPrefix, TimeProvider clock, ILogger logger)
{
    /// <summary>After so many slots in a row without a session, a new volume is not asked about higher ones.</summary>
    const int AbsentInARow = 8;

    /// <summary>As many slots as the broker has users for.</summary>
    const int MostSlots = 64;

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
            if (await LookAsync(name, stop) is null)
                return;
        }
        if (!SlotDirectory.KnowsSessions(options.DataDirectory))
        {
            for (int number = 0, absent = 0; absent < AbsentInARow && number < MostSlots; number++)
            {
                var found = await LookAsync(SlotDirectory.NameOf(number), stop);
                if (found is null)
                    return;
                absent = found.Value ? 0 : absent + 1;
            }
            SlotDirectory.NoteSessionsKnown(options.DataDirectory);
        }
        checkedConnections = connections;
    }

    /// <returns>Whether there is a slot or a session of this name; null when the broker does not say.</returns>
    async Task<bool?> LookAsync(string name, CancellationToken stop)
    {
        using var slot = SlotDirectory.TryTakeRetired(options.DataDirectory, name, clientIdPrefix);
        if (slot is null)
            return true;
        switch (await IsPresentAsync(slot.ClientId, stop))
        {
            case true:
                slot.BringBack();
                LogBroughtBack(name);
                return true;
            case false:
                return false;
            default:
                // It is away again, or refuses this client id.
                unansweredAt = clock.GetTimestamp();
                return null;
        }
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
        "The broker has a session of {Slot}, which no slot here fetches: the broker was restarted from an older state, or this data volume is new. The slot is adopted and emptied, so that nothing that went to it is lost")]
    partial void LogBroughtBack(string slot);
}
