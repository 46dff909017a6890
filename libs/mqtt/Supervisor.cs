using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Mqtt;

/// <summary>Makes one connection after the other, with growing, random pauses, and reports the state. Thread-safe.</summary>
sealed partial class Supervisor : IAsyncDisposable
{
    static readonly TimeSpan firstReconnectDelay = TimeSpan.FromSeconds(1);
    static readonly TimeSpan provenAfter = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Ceiling of the back-off while the broker does not answer at all. Asking is cheap, and until a forwarder is back, a restarted broker
    /// that has lost its subscription acknowledges messages and drops them.
    /// </summary>
    static readonly TimeSpan maximumDelayWithoutAnswer = TimeSpan.FromSeconds(2);

    static readonly TimeSpan sameErrorLoggedEvery = TimeSpan.FromMinutes(5);
    readonly Session session;
    readonly MqttOptions options;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Lock stateGate = new();
    readonly Rivals rivals;
    readonly ITimer rivalTimer;
    MqttConnectionState state;
    Connection? connection;
    string clientId;
    long readyAt;

    public Supervisor(Session session, ILogger logger)
    {
        this.session = session;
        this.logger = logger;
        options = session.Options;
        clock = session.Clock;
        clientId = options.ClientId;
        rivals = new Rivals(clock);
        rivalTimer = clock.CreateTimer(
            static s => ((Supervisor)s!).LookForRivals(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        state = new MqttConnectionState { ClientId = clientId };
    }

    /// <summary>
    /// Raised after each change, on a thread of the client, one change after the other: the last state that a listener gets is the present
    /// one.
    /// </summary>
    public event Action<MqttConnectionState>? StateChanged;

    public MqttConnectionState State => Volatile.Read(ref state);

    /// <summary>The current connection; null between two.</summary>
    public Connection? Connection => Volatile.Read(ref connection);

    /// <inheritdoc cref="MqttClient.DiscardSessionOnStop"/>
    public bool DiscardSessionOnStop { get; set; }

    /// <inheritdoc cref="MqttClient.IsSessionDiscarded"/>
    public bool IsSessionDiscarded { get; private set; }

    /// <summary>Fails all unanswered requests, and ends the consumer's wait. No connection is made after this.</summary>
    public void Close()
    {
        var stopped = new MqttConnectionException("The MQTT client stopped before the broker acknowledged the message.");
        session.Store.Close(stopped);
        session.Subscriptions.Close(stopped);
        ChangeState(s => s with { IsConnected = false, IsSubscribed = false });
        session.Inbox.Complete();
    }

    public ValueTask DisposeAsync() => rivalTimer.DisposeAsync();

    /// <summary>Connects, serves and reconnects until a stop is requested.</summary>
    public async Task RunAsync(CancellationToken stop)
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
                // Each connection may leave behind as much as may be unacknowledged. If the consumer has stopped, do not gather more.
                if (session.Inbox.Waiting > options.ReceiveMaximum || session.Inbox.WaitingBytes > Arrivals.MaximumUnacknowledgedBytes)
                {
                    throw new MqttConnectionException(
                        $"{session.Inbox.Waiting} messages of an earlier connection still wait to be processed; the client connects "
                            + "again after that. Find out what holds up their processing (a full disk?)."
                    );
                }
                using var handshake = await Handshake.OpenAsync(session, clientId, cleanStart, stop);
                cleanStart = false;
                clientId = handshake.ClientId;
                // A problem that comes and goes with each attempt is reported once.
                if (connectedLoggedFor != loggedAt)
                    LogConnected(options.Host, options.Port, clientId, handshake.Connack.IsSessionPresent);
                connectedLoggedFor = loggedAt;
                await ServeAsync(handshake, stop);
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
                // Nothing else is expected, but the readings must continue in any case.
                LogUnexpected(e);
                error = new MqttConnectionException($"The MQTT connection ended by a fault of this program: {e.Message}", e);
            }
            if (readyAt != 0 && clock.GetElapsedTime(readyAt) >= provenAfter)
                (failures, loggedError) = (0, null);
            var ceiling = options.MaximumReconnectDelay;
            if (!HasAnswered(error) && ceiling > maximumDelayWithoutAnswer)
                ceiling = maximumDelayWithoutAnswer;
            var bound = Math.Min(ceiling.TotalSeconds, firstReconnectDelay.TotalSeconds * Math.Pow(2, Math.Min(failures++, 10)));
            var delay = TimeSpan.FromSeconds(Random.Shared.NextDouble() * bound);
            if (error.Message != loggedError || clock.GetElapsedTime(loggedAt) > sameErrorLoggedEvery)
            {
                LogDown(error.Message, delay.TotalSeconds);
                (loggedError, loggedAt) = (error.Message, clock.GetTimestamp());
            }
            if (error is MqttConnectionException { Reason: MqttReasonCode.SessionTakenOver })
                CountTakeover();
            ChangeState(s =>
                s with
                {
                    IsConnected = false,
                    IsSubscribed = false,
                    Rival = Rival(),
                    LastError = error.Message,
                    LastReason = (error as MqttConnectionException)?.Reason ?? (error as MqttProtocolException)?.Reason,
                }
            );
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

    /// <summary>The broker has refused something, or something other than a broker answers: asking again soon would only cost both sides. A
    /// lost connection is not an answer.</summary>
    static bool HasAnswered(MqttException error) =>
        error switch
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

    string? Rival() =>
        !rivals.AreThere
            ? null
            : $"Another client connects to {options.Host}:{options.Port} as '{clientId}' again and again; the broker ends the other "
                + "connection each time, and each client gets only a part of the messages. Two installations have the same identity "
                + "(a copied card, disk or volume), or two agents the same DEVICE_ID. Stop one of them, or give it an identity of "
                + "its own (docs/troubleshooting.md, Session taken over).";

    async Task ServeAsync(Handshake handshake, CancellationToken stop)
    {
        var (store, subscriptions) = (session.Store, session.Subscriptions);
        var limits = BrokerLimits.From(handshake.Connack);
        session.Counters.CountConnection();
        subscriptions.BeginConnection();
        if (store.BeginConnection(handshake.Connack.IsSessionPresent, limits, options.Birth) is { } birth)
            _ = ReportRefusalAsync(birth);
        using var opened = new Connection(session, State.Generation + 1, handshake) { SubscriptionsChanged = OnSubscriptionsChanged };
        Volatile.Write(ref connection, opened);
        try
        {
            ChangeState(s =>
                s with
                {
                    Generation = opened.Generation,
                    IsConnected = true,
                    IsSubscribed = subscriptions.IsComplete,
                    SessionPresent = handshake.Connack.IsSessionPresent,
                    LastError = null,
                    LastReason = null,
                    ClientId = clientId,
                    ServerReceiveMaximum = limits.ReceiveMaximum,
                    RetainAvailable = limits.RetainAvailable,
                    KeepAlive = handshake.KeepAlive,
                }
            );
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
        var isComplete = session.Subscriptions.IsComplete;
        var problem = session.Subscriptions.Problem;
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
        lock (stateGate)
        {
            var changed = change(state);
            Volatile.Write(ref state, changed);
            StateChanged?.Invoke(changed);
        }
    }

    [LoggerMessage(
        EventId = 300,
        Level = LogLevel.Information,
        Message = "Connected to the MQTT broker {Host}:{Port} as {ClientId}; session kept by the broker: {SessionPresent}"
    )]
    partial void LogConnected(string host, int port, string clientId, bool sessionPresent);

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "{Error} Next attempt in {Delay:0.0} s")]
    partial void LogDown(string error, double delay);

    [LoggerMessage(
        EventId = 302,
        Level = LogLevel.Warning,
        Message = "{Problem} The client tries again; until then this subscription brings no messages"
    )]
    partial void LogSubscriptionRefused(string problem);

    [LoggerMessage(EventId = 303, Level = LogLevel.Warning, Message = "The broker did not accept the status message: {Error}")]
    partial void LogBirthRefused(string error);

    [LoggerMessage(EventId = 305, Level = LogLevel.Error, Message = "{Rival}")]
    partial void LogRival(string rival);

    [LoggerMessage(EventId = 304, Level = LogLevel.Error, Message = "Unexpected fault in the MQTT connection; the client connects again")]
    partial void LogUnexpected(Exception e);
}
