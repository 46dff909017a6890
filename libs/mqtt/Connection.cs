using System.Net.Sockets;
using System.Security.Authentication;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// One connection to the broker, from CONNACK to its end: a loop that reads, a loop that writes, and a timer that watches both. The reader
/// handles everything that a read brought before it reads again. It never waits for the writer. It waits for the consumer only when too
/// much is unacknowledged: then it leaves the rest to TCP.
/// </summary>
sealed class Connection : IDisposable
{
    static readonly TimeSpan closeTimeout = TimeSpan.FromSeconds(1);

    readonly Session session;
    readonly PublishStore store;
    readonly Transport transport;
    readonly PacketReader reader;
    readonly PacketWriter writer;
    readonly KeepAlive keepAlive;
    readonly Arrivals arrivals;
    readonly string clientId;
    readonly AsyncSignal toRead = new();
    MqttConnectionException? fault;

    /// <summary>Takes over an established connection.</summary>
    /// <param name="session">The state that outlives the connection.</param>
    /// <param name="generation">Number of the connection: messages can be acknowledged only by the connection that they came by.</param>
    /// <param name="handshake">How the connection was made.</param>
    public Connection(Session session, long generation, Handshake handshake)
    {
        this.session = session;
        store = session.Store;
        transport = handshake.Transport;
        reader = handshake.Reader;
        clientId = handshake.ClientId;
        keepAlive = new KeepAlive(handshake.KeepAlive, session.Clock);
        writer = new PacketWriter(transport.Stream, session, keepAlive);
        arrivals = new Arrivals(session, writer, generation);
        Generation = generation;
    }

    public long Generation { get; }

    /// <summary>Called by the reader after a SUBACK or UNSUBACK.</summary>
    public Action? SubscriptionsChanged { get; set; }

    /// <inheritdoc cref="Arrivals.IsHalfFull"/>
    public bool IsHalfFull => arrivals.IsHalfFull;

    /// <summary>Serves the connection until it is lost or a stop is requested; then says goodbye and returns.</summary>
    /// <param name="discardSession">Asked at a stop: whether the broker is to discard the session.</param>
    /// <param name="stop">Asks for the stop.</param>
    /// <returns>Whether the goodbye went out.</returns>
    /// <exception cref="MqttException">Why the connection was lost.</exception>
    public async Task<bool> ServeAsync(Func<bool> discardSession, CancellationToken stop)
    {
        var reading = ReadAsync();
        var writing = writer.RunAsync();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = stop.UnsafeRegister(static s => ((TaskCompletionSource)s!).TrySetResult(), stopped);
        using var watch = session.Clock.CreateTimer(static c => ((Connection)c!).Watch(), this, keepAlive.Interval, keepAlive.Interval);
        try
        {
            await Task.WhenAny(reading, writing, stopped.Task);
            if (stop.IsCancellationRequested && !reading.IsCompleted && !writing.IsCompleted)
                return await CloseAsync(output => AddGoodbye(output, discardSession()), reading, writing);
            // When a write fails, the broker's reason may be waiting to be read.
            await Settle(reading, closeTimeout / 2);
            await (reading.IsCompleted ? reading : writing);
            return false;
        }
        catch (MqttProtocolException e)
        {
            var disconnect = new MqttDisconnectPacket { ReasonCode = (MqttDisconnectReasonCode)e.Reason, ReasonString = e.Message };
            await CloseAsync(output => output.Add(disconnect), reading, writing);
            throw new MqttProtocolException(
                e.Reason,
                $"{e.Message} It came from {session.Broker}. The client closed the connection and connects again."
            );
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw fault
                ?? (e as MqttException)
                ?? new MqttConnectionException($"The connection to {session.Broker} was lost: {e.Message}", e);
        }
        finally
        {
            writer.Close();
            transport.Abort();
            toRead.Set();
            await Settle(reading, Timeout.InfiniteTimeSpan);
            await Settle(writing, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Something is in the publish store or the subscription book.</summary>
    public void WakeWriter() => writer.Wake();

    /// <summary>Acknowledges messages of this connection.</summary>
    /// <returns>How many of them were not acknowledged before.</returns>
    public int Acknowledge(ReadOnlySpan<MqttMessage> messages)
    {
        var count = arrivals.Acknowledge(messages, out var readOn);
        if (readOn)
            toRead.Set();
        return count;
    }

    public void Dispose() => transport.Dispose();

    /// <summary>The exceptions of a connection that ends, as opposed to a fault of this program.</summary>
    public static bool IsLoss(Exception e) =>
        e
            is MqttConnectionException
                or IOException
                or SocketException
                or ObjectDisposedException
                or AuthenticationException
                or OperationCanceledException;

    async Task ReadAsync()
    {
        var pacing = new ReadPacing(TimeProvider.System);
        while (true)
        {
            bool isDone;
            var received = session.Counters.Received;
            do
            {
                isDone = TryHandleAll();
                if (arrivals.IsHalfFull)
                    session.Gathered.Set();
                if (!isDone)
                    await toRead.WaitAsync();
            } while (!isDone);
            if (pacing.ShouldPause(reader.LastRead, session.Counters.Received > received))
                await Task.Delay(ReadPacing.Pause, TimeProvider.System);
            pacing.ReadingBegins();
            if (await reader.FillAsync(CancellationToken.None))
            {
                keepAlive.Received();
                continue;
            }
            if (writer.IsClosing)
                return;
            throw new MqttConnectionException(
                reader.IsInPacket
                    ? $"{session.TheBroker} closed the connection in the middle of a packet."
                    : $"{session.TheBroker} closed the connection without giving a reason. It may be restarting. If this repeats, see in "
                        + $"its log whether another client uses the client id '{clientId}', or a message is larger than it allows."
            );
        }
    }

    /// <summary>Handles every whole packet that has arrived.</summary>
    /// <returns>False when the consumer must acknowledge something first.</returns>
    bool TryHandleAll()
    {
        while (reader.HasPacket())
        {
            if (reader.IsMessageToAcknowledge && !arrivals.HasRoom())
                return false;
            Handle(reader.Take());
        }
        return true;
    }

    void Handle(MqttPacket packet)
    {
        switch (packet)
        {
            case MqttPublishPacket publish:
                arrivals.Post(publish);
                break;
            case MqttPubAckPacket puback:
                // A PUBACK that answers nothing is harmless: its message, if any, was given up with an older session.
                if (store.Acknowledge(puback.PacketIdentifier, (MqttReasonCode)puback.ReasonCode, puback.ReasonString) && store.HasWaiting)
                    writer.Wake();
                break;
            case MqttPubRelPacket pubrel:
                arrivals.Release(pubrel);
                break;
            case MqttPingRespPacket:
                keepAlive.PingAnswered();
                break;
            case MqttSubAckPacket suback:
                session.Subscriptions.Answer(suback);
                SubscriptionsChanged?.Invoke();
                break;
            case MqttUnsubAckPacket unsuback:
                session.Subscriptions.AnswerUnsubscribe(unsuback);
                SubscriptionsChanged?.Invoke();
                break;
            case MqttDisconnectPacket disconnect:
                var reason = (MqttReasonCode)disconnect.ReasonCode;
                var cure = MqttReasons.DisconnectCure(reason);
                throw new MqttConnectionException(
                    $"{session.TheBroker} ended the connection: "
                        + MqttReasons.Sentence(reason, disconnect.ReasonString, disconnect.ServerReference, cure),
                    reason
                );
            default:
                throw MqttProtocolException.Error("CONNACK came a second time");
        }
    }

    /// <summary>Timer: sends pings when due, and ends a connection on which nothing moves although it should.</summary>
    void Watch()
    {
        try
        {
            var isListening = !arrivals.IsHeld;
            if (keepAlive.IsPingDue(isListening))
                writer.Ping();
            if (session.Subscriptions.Tick(isListening))
                writer.Wake();
        }
        catch (MqttConnectionException e)
        {
            fault ??= new MqttConnectionException($"The connection to {session.Broker} is dead: {e.Message}");
            transport.Abort();
        }
    }

    static void AddGoodbye(PacketBuffer output, bool discardSession)
    {
        if (discardSession)
            output.AddDisconnectAndDiscard();
        else
            output.Add(new MqttDisconnectPacket());
    }

    /// <summary>Sends the gathered packets and DISCONNECT, then lets the broker close, so that nothing in transit is reset.</summary>
    /// <returns>Whether it went out.</returns>
    async Task<bool> CloseAsync(Action<PacketBuffer> goodbye, Task reading, Task writing)
    {
        writer.Close(goodbye);
        toRead.Set();
        await Settle(writing, closeTimeout);
        if (!writing.IsCompletedSuccessfully)
            return false;
        transport.EndSending();
        await Settle(reading.IsCompleted ? reader.DrainAsync() : reading, closeTimeout);
        return true;
    }

    /// <summary>Waits until a task has ended in any way, but not longer than the timeout.</summary>
    async Task Settle(Task task, TimeSpan timeout)
    {
        try
        {
            await task.WaitAsync(timeout, session.Clock);
        }
        catch (Exception)
        {
            // Callers check the task where it matters; after a timeout it is not completed.
        }
    }
}
