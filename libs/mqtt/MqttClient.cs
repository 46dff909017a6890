using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Mqtt;

/// <summary>How things stand with the broker. A new one is made at each change.</summary>
public sealed record MqttConnectionState
{
    /// <summary>Number of the current connection, or of the last one; 0 before the first.</summary>
    public long Generation { get; init; }

    public bool IsConnected { get; init; }

    /// <summary>All subscriptions are granted on this connection.</summary>
    public bool IsSubscribed { get; init; }

    /// <summary>Connected and subscribed to all that was asked for.</summary>
    public bool IsReady => IsConnected && IsSubscribed;

    /// <summary>Another client uses the same client id: what that means and what to do. It outlasts the moments in which this one is connected. Null: none.</summary>
    public string? Rival { get; init; }

    /// <summary>The broker had kept the session when this connection was made.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>Why it is not ready, with what to do; null when it is, or at the start.</summary>
    public string? LastError { get; init; }

    /// <summary>The broker's reason in <see cref="LastError"/>, when it gave one.</summary>
    public MqttReasonCode? LastReason { get; init; }

    /// <summary>The client id in use, which the broker chose if the option is empty.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Publishes of QoS 1 the broker takes at once.</summary>
    public int ServerReceiveMaximum { get; init; }

    /// <summary>The broker keeps retained messages; without that it refuses what asks to be retained.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>In use: the broker's if it set one.</summary>
    public TimeSpan KeepAlive { get; init; }
}

/// <summary>Totals since the client was made. Each may be read at any time.</summary>
public sealed class MqttCounters
{
    long received;
    long acknowledged;
    long staleAcknowledgements;
    long connections;
    long bytesReceived;
    long bytesSent;

    /// <summary>Messages received, repeats included.</summary>
    public long Received => Volatile.Read(ref received);

    /// <summary>Messages acknowledged by the consumer while their connection was up.</summary>
    public long Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>Acknowledgements that came after the message's connection had ended; the broker sends those messages again.</summary>
    public long StaleAcknowledgements => Volatile.Read(ref staleAcknowledgements);

    /// <summary>Connections made. Reconnects are one less.</summary>
    public long Connections => Volatile.Read(ref connections);

    public long BytesReceived => Volatile.Read(ref bytesReceived);

    public long BytesSent => Volatile.Read(ref bytesSent);

    // The reader and the writer are each one thread at a time, so these need no interlocked add.
    internal void CountReceived() => Volatile.Write(ref received, received + 1);

    internal void AddReceived(int bytes) => Volatile.Write(ref bytesReceived, bytesReceived + bytes);

    internal void AddSent(int bytes) => Volatile.Write(ref bytesSent, bytesSent + bytes);

    internal void CountConnection() => Volatile.Write(ref connections, connections + 1);

    internal void CountAcknowledged(int count, int stale)
    {
        Interlocked.Add(ref acknowledged, count);
        if (stale > 0)
            Interlocked.Add(ref staleAcknowledgements, stale);
    }
}

/// <summary>
/// An MQTT 5.0 client for at-least-once work: QoS 1 in both directions, acknowledgements by hand and in order of arrival, one supervised
/// connection at a time. <see cref="RunAsync"/> makes and keeps the connection; everything else may be called before, during and between
/// connections, from any thread, except that one consumer takes messages.
/// </summary>
public sealed partial class MqttClient : IAsyncDisposable
{
    static readonly TimeSpan firstReconnectDelay = TimeSpan.FromSeconds(1);
    static readonly TimeSpan provenAfter = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Ceiling of the back-off while the broker does not answer at all. To ask is cheap, and while a forwarder is away after the broker is back, a broker that has lost
    /// its subscription acknowledges messages that reach nobody.
    /// </summary>
    static readonly TimeSpan maximumDelayWithoutAnswer = TimeSpan.FromSeconds(2);

    static readonly TimeSpan sameErrorLoggedEvery = TimeSpan.FromMinutes(5);
    readonly MqttOptions options;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly PublishStore store;
    readonly SubscriptionBook subscriptions;
    readonly Inbox inbox;
    readonly TextCache topics = new(2048, MqttReader.ToTopic);
    readonly TextCache contentTypes = new(16, System.Text.Encoding.UTF8.GetString);
    readonly AsyncSignal gathered = new();
    readonly ITimer gatherTimer;
    readonly CancellationTokenSource disposing = new();
    readonly Lock stateGate = new();
    readonly Rivals rivals;
    readonly ITimer rivalTimer;
    MqttConnectionState state;
    Connection? connection;
    Task? running;
    string clientId;
    long readyAt;

    /// <exception cref="ArgumentException">The options cannot be used; the message has every problem.</exception>
    public MqttClient(MqttOptions options, TimeProvider clock, ILogger logger)
    {
        if (options.Validate() is { Count: > 0 } problems)
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        this.options = options = options.Copy();
        options.UserName = options.UserName?.Replace(MqttOptions.ClientPlaceholder, options.ClientId, StringComparison.Ordinal);
        this.clock = clock;
        this.logger = logger;
        clientId = options.ClientId;
        store = new PublishStore(options.MaximumInFlight);
        subscriptions = new SubscriptionBook(options.Subscriptions, store, clock, options.ConnectTimeout);
        inbox = new Inbox(options.ReceiveMaximum);
        gatherTimer = clock.CreateTimer(static signal => ((AsyncSignal)signal!).Set(), gathered, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        rivals = new Rivals(clock);
        rivalTimer = clock.CreateTimer(static client => ((MqttClient)client!).LookForRivals(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        state = new MqttConnectionState { ClientId = clientId };
    }

    /// <summary>Raised after each change, on a thread of the client: be quick, do not throw.</summary>
    public event Action<MqttConnectionState>? ConnectionChanged;

    public MqttConnectionState State => Volatile.Read(ref state);

    public MqttCounters Counters { get; } = new();

    /// <summary>Messages published: acknowledged by the broker, or with QoS 0 handed to a connection.</summary>
    public long Published => store.Published;

    /// <summary>Messages that the broker refused.</summary>
    public long Refused => store.Refused;

    /// <summary>Messages given to <see cref="PublishAsync"/> that have no answer yet.</summary>
    public int PendingPublishes => store.Pending;

    /// <summary>Messages received that the consumer has not taken yet.</summary>
    public int WaitingMessages => inbox.Waiting;

    /// <summary>Messages of QoS 0 dropped because the consumer was behind.</summary>
    public long DroppedMessages => inbox.Dropped;

    /// <summary>Whether the stop of <see cref="RunAsync"/> tells the broker to throw the session away, for a client id that is not
    /// needed any more.</summary>
    public bool DiscardSessionOnStop { get; set; }

    /// <summary>After <see cref="RunAsync"/>: the broker was told to throw the session away. False when there was no connection to say it on.</summary>
    public bool IsSessionDiscarded { get; private set; }

    /// <summary>
    /// Connects, serves, and reconnects with growing, random pauses until cancelled; then sends the acknowledgements given so far and a
    /// normal DISCONNECT (no will is published) and returns within about two seconds. What has no PUBACK by then fails with
    /// <see cref="MqttException"/>, and no messages come after those already received. Call it once.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        var run = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref running, run.Task, null) is not null)
            throw new InvalidOperationException("This MQTT client runs already, or has run or been disposed.");
        return Run();

        async Task Run()
        {
            try
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, disposing.Token);
                await SuperviseAsync(stop.Token);
            }
            finally
            {
                Close();
                run.TrySetResult();
            }
        }
    }

    /// <summary>Waits until there are messages to take.</summary>
    /// <returns>False when the client has stopped and all have been taken.</returns>
    public ValueTask<bool> WaitForMessagesAsync(CancellationToken cancellationToken) => inbox.WaitAsync(cancellationToken);

    /// <summary>
    /// Lets messages gather, for a consumer to whom many at once cost less than many one by one: waits until the time is over, but not when half of what the
    /// broker lets be unacknowledged has come, so that it never has to pause for this. For the consumer, which has acknowledged all that it took. May
    /// return early.
    /// </summary>
    public async Task GatherAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        gathered.Reset();
        if (Volatile.Read(ref connection) is not { } current || current.IsHalfFull || cancellationToken.IsCancellationRequested)
            return;
        gatherTimer.Change(atMost, Timeout.InfiniteTimeSpan);
        using (cancellationToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), gathered))
            await gathered.WaitAsync();
        gatherTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes the next message, in order of arrival. After a reconnect, messages of the old connection still come first and the
    /// broker repeats them later: whoever stores them must recognise repeats.</summary>
    public bool TryReceive(out MqttMessage message) => inbox.TryReceive(out message);

    /// <summary>
    /// Tells the broker that a message is in safe hands. The order of calls is free: the packets leave in order of arrival, as MQTT demands,
    /// each when all earlier ones of its connection are done. Does nothing for QoS 0, for a second call, and for a message of an earlier
    /// connection.
    /// </summary>
    public void Acknowledge(in MqttMessage message) => Acknowledge(new ReadOnlySpan<MqttMessage>(in message));

    /// <summary>The same for many at once, in one write.</summary>
    public void Acknowledge(ReadOnlySpan<MqttMessage> messages)
    {
        var current = Volatile.Read(ref connection);
        var stale = 0;
        foreach (ref readonly var message in messages)
        {
            if (message.Qos > MqttQos.AtMostOnce && message.Generation != current?.Generation)
                stale++;
        }
        Counters.CountAcknowledged(current?.Acknowledge(messages) ?? 0, stale);
    }

    /// <summary>
    /// Publishes. With QoS 1 the task ends when the broker has acknowledged, however many connections that takes; messages are sent in the
    /// order of calls. There is no bound here other than the callers': as many messages wait as there are unfinished tasks.
    /// </summary>
    /// <param name="topic">Without wildcards.</param>
    /// <param name="payload">Not copied: leave it as it is until the task ends; if it is cancelled, for good.</param>
    /// <param name="qos">0 or 1. With QoS 0 the task ends when a connection has taken the message.</param>
    /// <param name="retain">The broker keeps it as the topic's last value.</param>
    /// <param name="contentType">Content-type property, or null.</param>
    /// <param name="cancellationToken">Takes a message back that was not sent yet. One that was sent may still arrive.</param>
    /// <returns>Success, or "no matching subscribers" when the broker says that it reached nobody.</returns>
    /// <exception cref="MqttPublishRefusedException">The broker will not take it.</exception>
    /// <exception cref="MqttException">The client stopped before the broker acknowledged; the message may or may not have arrived.</exception>
    public Task<MqttReasonCode> PublishAsync(string topic, ReadOnlyMemory<byte> payload, MqttQos qos, bool retain = false,
        string? contentType = null, CancellationToken cancellationToken = default)
    {
        if (MqttTopic.NameProblem(topic) is { } problem)
            throw new ArgumentException($"Cannot publish to the topic '{topic}': {problem}.", nameof(topic));
        if (contentType is not null && MqttTopic.TextProblem(contentType) is { } typeProblem)
            throw new ArgumentException($"The content type cannot be used: {typeProblem}.", nameof(contentType));
        if (qos > MqttQos.AtLeastOnce)
            throw new ArgumentOutOfRangeException(nameof(qos), qos, "This client publishes with QoS 0 or 1.");
        cancellationToken.ThrowIfCancellationRequested();
        var published = store.Add(topic, payload, qos, retain, contentType, cancellationToken);
        Volatile.Read(ref connection)?.WakeWriter();
        return published;
    }

    /// <summary>Ends a subscription, on this connection or the next, and does not make it again.</summary>
    /// <param name="filter">As it is in the options.</param>
    /// <param name="cancellationToken">Stops waiting; the broker is asked all the same.</param>
    /// <exception cref="MqttException">The broker refused, or the client stopped before it answered.</exception>
    public Task UnsubscribeAsync(string filter, CancellationToken cancellationToken)
    {
        if (MqttTopic.FilterProblem(filter) is { } problem)
            throw new ArgumentException($"Cannot unsubscribe from '{filter}': {problem}.", nameof(filter));
        var unsubscribed = subscriptions.Remove(filter);
        Volatile.Read(ref connection)?.WakeWriter();
        return unsubscribed.WaitAsync(cancellationToken);
    }

    /// <summary>Stops the client as a cancelled <see cref="RunAsync"/> does, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await gatherTimer.DisposeAsync();
        await rivalTimer.DisposeAsync();
        var wasRunning = Interlocked.CompareExchange(ref running, Task.CompletedTask, null);
        if (wasRunning is null)
        {
            Close();
            return;
        }
        await disposing.CancelAsync();
        await wasRunning;
    }

    async Task SuperviseAsync(CancellationToken stop)
    {
        var failures = 0;
        var cleanStart = options.CleanStart;
        string? loggedError = null;
        var loggedAt = 0L;
        var connectedLoggedFor = -1L;
        while (!stop.IsCancellationRequested)
        {
            readyAt = 0;
            MqttException error;
            try
            {
                // Each connection may leave behind as much as may be unacknowledged. When the consumer has stopped, do not go on gathering.
                if (inbox.Waiting > options.ReceiveMaximum || inbox.WaitingBytes > Connection.MaximumUnacknowledgedBytes)
                {
                    throw new MqttConnectionException($"{inbox.Waiting} messages of an earlier connection still wait to be processed; "
                        + "there is no new one before. Look at what holds up their processing (a full disk?).");
                }
                using var opened = await Connection.OpenAsync(State.Generation + 1, clientId, cleanStart, options, clock, store, subscriptions,
                    inbox, Counters, topics, contentTypes, stop);
                cleanStart = false;
                clientId = opened.Connack.Properties.Text(MqttPropertyId.AssignedClientIdentifier) ?? clientId;
                // What comes and goes at once is reported once, not each time.
                if (connectedLoggedFor != loggedAt)
                    LogConnected(options.Host, options.Port, clientId, opened.Connack.SessionPresent);
                connectedLoggedFor = loggedAt;
                await ServeAsync(opened, stop);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (MqttConnectionException e) when (e.Reason == MqttReasonCode.RetainNotSupported && options.Will is { Retain: true } will)
            {
                // MQTT 5.0 §3.2.2.3.5: such a broker accepts the will only without the flag.
                options.Will = will.WithoutRetain();
                continue;
            }
            catch (MqttException e)
            {
                error = e;
            }
            catch (Exception e)
            {
                // Nothing else is expected; whatever it is, the readings must go on.
                LogUnexpected(e);
                error = new MqttConnectionException($"The MQTT connection ended by a fault of this program: {e.Message}", e);
            }
            if (readyAt != 0 && clock.GetElapsedTime(readyAt) >= provenAfter)
                (failures, loggedError) = (0, null);
            var ceiling = HasAnswered(error) ? options.MaximumReconnectDelay : TimeSpan.FromTicks(Math.Min(options.MaximumReconnectDelay.Ticks, maximumDelayWithoutAnswer.Ticks));
            var bound = Math.Min(ceiling.TotalSeconds, firstReconnectDelay.TotalSeconds * Math.Pow(2, Math.Min(failures++, 10)));
            var delay = TimeSpan.FromSeconds(Random.Shared.NextDouble() * bound);
            if (error.Message != loggedError || clock.GetElapsedTime(loggedAt) > sameErrorLoggedEvery)
            {
                LogDown(error.Message, delay.TotalSeconds);
                (loggedError, loggedAt) = (error.Message, clock.GetTimestamp());
            }
            if (error is MqttConnectionException { Reason: MqttReasonCode.SessionTakenOver })
                CountTakeover();
            ChangeState(s => s with
            {
                IsConnected = false,
                IsSubscribed = false,
                Rival = Rival(),
                LastError = error.Message,
                LastReason = (error as MqttConnectionException)?.Reason ?? (error as MqttProtocolException)?.Reason,
            });
            try
            {
                await Task.Delay(delay, clock, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>The broker has refused something, or what answers is no broker: to ask again soon would only cost both sides. A lost connection is no answer.</summary>
    static bool HasAnswered(MqttException error) => error switch
    {
        MqttConnectionException { Reason: MqttReasonCode.ServerShuttingDown or MqttReasonCode.KeepAliveTimeout } => false,
        MqttConnectionException { Reason: { } } => true,
        MqttConnectionException { InnerException: AuthenticationException } => true,
        MqttConnectionException => false,
        _ => true,
    };

    void CountTakeover()
    {
        var knew = rivals.AreThere;
        rivals.TookOver();
        rivalTimer.Change(Rivals.Memory, Timeout.InfiniteTimeSpan);
        if (rivals.AreThere && !knew)
            LogRival(Rival()!);
    }

    void LookForRivals()
    {
        lock (stateGate)
            rivals.Look();
        ChangeState(s => s with { Rival = Rival() });
    }

    string? Rival() => !rivals.AreThere ? null
        : $"Another client connects to {options.Host}:{options.Port} as '{clientId}' again and again; the broker ends the other one's connection each time, and each gets a part of the messages. "
            + "Two installations have the same identity (a copied card, disk or volume), or two agents the same DEVICE_ID. Stop one of them, or give it an identity of its own (docs/troubleshooting.md, Session taken over).";

    async Task ServeAsync(Connection opened, CancellationToken stop)
    {
        var connack = opened.Connack;
        var limits = BrokerLimits.From(connack);
        Counters.CountConnection();
        subscriptions.BeginConnection();
        if (store.BeginConnection(connack.SessionPresent, limits, options.Birth) is { } birth)
            _ = ReportRefusalAsync(birth);
        opened.SubscriptionsChanged = OnSubscriptionsChanged;
        opened.HalfFull = gathered.Set;
        Volatile.Write(ref connection, opened);
        try
        {
            ChangeState(s => s with
            {
                Generation = opened.Generation,
                IsConnected = true,
                IsSubscribed = subscriptions.IsComplete,
                SessionPresent = connack.SessionPresent,
                LastError = null,
                LastReason = null,
                ClientId = clientId,
                ServerReceiveMaximum = limits.ReceiveMaximum,
                RetainAvailable = limits.RetainAvailable,
                KeepAlive = opened.KeepAlive,
            });
            if (subscriptions.IsComplete)
                readyAt = clock.GetTimestamp();
            IsSessionDiscarded = await opened.ServeAsync(() => DiscardSessionOnStop, stop) && DiscardSessionOnStop;
        }
        finally
        {
            Volatile.Write(ref connection, null);
            store.EndConnection();
            subscriptions.EndConnection();
        }
    }

    void OnSubscriptionsChanged()
    {
        var isComplete = subscriptions.IsComplete;
        var problem = subscriptions.Problem;
        if (isComplete && readyAt == 0)
            readyAt = clock.GetTimestamp();
        if (problem is not null && problem != State.LastError)
            LogSubscriptionRefused(problem);
        ChangeState(s => s with { IsSubscribed = isComplete, LastError = problem });
    }

    async Task ReportRefusalAsync(Task<MqttReasonCode> birth)
    {
        try
        {
            await birth;
        }
        catch (MqttPublishRefusedException e)
        {
            LogBirthRefused(e.Message);
        }
        catch (MqttException)
        {
            // The client stopped first.
        }
    }

    void ChangeState(Func<MqttConnectionState, MqttConnectionState> change)
    {
        MqttConnectionState changed;
        lock (stateGate)
            Volatile.Write(ref state, changed = change(state));
        ConnectionChanged?.Invoke(changed);
    }

    void Close()
    {
        var stopped = new MqttConnectionException("The MQTT client has stopped; the broker's acknowledgement was not waited for any longer.");
        store.Close(stopped);
        subscriptions.Close(stopped);
        ChangeState(s => s with { IsConnected = false, IsSubscribed = false });
        inbox.Complete();
    }

    [LoggerMessage(EventId = 300, Level = LogLevel.Information, Message = "Connected to the MQTT broker {Host}:{Port} as {ClientId}; session kept by the broker: {SessionPresent}")]
    partial void LogConnected(string host, int port, string clientId, bool sessionPresent);

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "{Error} Next attempt in {Delay:0.0} s")]
    partial void LogDown(string error, double delay);

    [LoggerMessage(EventId = 302, Level = LogLevel.Warning, Message = "{Problem} It is tried again; until then no message comes by it")]
    partial void LogSubscriptionRefused(string problem);

    [LoggerMessage(EventId = 303, Level = LogLevel.Warning, Message = "The status message was not taken: {Error}")]
    partial void LogBirthRefused(string error);

    [LoggerMessage(EventId = 305, Level = LogLevel.Error, Message = "{Rival}")]
    partial void LogRival(string rival);

    [LoggerMessage(EventId = 304, Level = LogLevel.Error, Message = "Unexpected fault in the MQTT connection; it is made anew")]
    partial void LogUnexpected(Exception e);
}
