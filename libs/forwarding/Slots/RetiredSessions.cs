using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Finds sessions at the broker that get a share of the messages but belong to no slot. They arise in two ways. After a crash, a broker
/// comes back with its last saved state, which may still have the session of a slot that was retired since. And a lost data volume, or a
/// new SD card, has no slots, while the sessions of its higher slots are still at the broker. So after each new connection, when no
/// adoption is under way, this class asks the broker for the sessions of retired slots, and on a new volume also for those of slots that
/// may have existed. A slot whose session exists gets its directory back; then it is adopted and emptied like any slot without an owner.
/// </summary>
/// <param name="options">Of the forwarder.</param>
/// <param name="clientIdPrefix">What MQTT client ids begin with.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">For sessions that are found.</param>
sealed partial class RetiredSessions(ForwarderOptions options, string clientIdPrefix, TimeProvider clock, ILogger logger)
{
    /// <summary>On a new volume, the search for sessions ends after this many slots in a row without one.</summary>
    const int AbsentInARow = 8;

    /// <summary>As many slots as the broker has users for.</summary>
    const int MostSlots = 64;

    long checkedConnections;
    long? unansweredAt;

    /// <summary>Asks the broker, unless that was done since the last connect.</summary>
    /// <param name="connections">How many connections this replica's own slots have made.</param>
    /// <param name="stop">Ends the search early.</param>
    /// <exception cref="OperationCanceledException">The search was ended.</exception>
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
                // The broker is away again, or refuses this client id.
                unansweredAt = clock.GetTimestamp();
                return null;
        }
    }

    /// <returns>Null when the broker does not say.</returns>
    async Task<bool?> IsPresentAsync(string clientId, CancellationToken stop)
    {
        // Messages of the session are not acknowledged here: the broker sends them again when the slot is emptied.
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

    [LoggerMessage(
        EventId = 143,
        Level = LogLevel.Warning,
        Message = "The broker has a session of {Slot}, which no slot here uses: the broker was restored to an older state, or this "
            + "data volume is new. The slot is adopted and emptied, so that its messages are not lost"
    )]
    partial void LogBroughtBack(string slot);
}
