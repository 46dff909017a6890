using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// An MQTT 5.0 client for at-least-once work: QoS 1 in both directions, acknowledgements by hand and in order of arrival, one supervised
/// connection at a time. <see cref="RunAsync"/> makes and keeps the connection; everything else may be called before, during and between
/// connections, from any thread, except that one consumer takes messages.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    readonly Session session;
    readonly Supervisor supervisor;
    readonly ITimer gatherTimer;
    readonly CancellationTokenSource disposing = new();
    Task? running;

    /// <exception cref="ArgumentException">The options cannot be used; the message has every problem.</exception>
    public MqttClient(MqttOptions options, TimeProvider clock, ILogger logger)
    {
        if (options.Validate() is { Count: > 0 } problems)
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        options = options.Copy();
        options.UserName = options.UserName?.Replace(MqttOptions.ClientPlaceholder, options.ClientId, StringComparison.Ordinal);
        session = new Session(options, clock);
        supervisor = new Supervisor(session, logger);
        gatherTimer = clock.CreateTimer(
            static signal => ((AsyncSignal)signal!).Set(),
            session.Gathered,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    /// <summary>Raised after each change, in their order, on a thread of the client: be quick, do not throw, wait for nothing.</summary>
    public event Action<MqttConnectionState>? ConnectionChanged
    {
        add => supervisor.StateChanged += value;
        remove => supervisor.StateChanged -= value;
    }

    public MqttConnectionState State => supervisor.State;

    public MqttCounters Counters => session.Counters;

    /// <summary>Messages published: acknowledged by the broker, or with QoS 0 handed to a connection.</summary>
    public long Published => session.Store.Published;

    /// <summary>Messages that the broker refused.</summary>
    public long Refused => session.Store.Refused;

    /// <summary>Messages given to <see cref="PublishAsync"/> that have no answer yet.</summary>
    public int PendingPublishes => session.Store.Pending;

    /// <summary>Messages received that the consumer has not taken yet.</summary>
    public int WaitingMessages => session.Inbox.Waiting;

    /// <summary>Messages of QoS 0 dropped because the consumer was behind.</summary>
    public long DroppedMessages => session.Inbox.Dropped;

    /// <summary>Whether the stop of <see cref="RunAsync"/> tells the broker to throw the session away, for a client id that is not
    /// needed any more.</summary>
    public bool DiscardSessionOnStop
    {
        get => supervisor.DiscardSessionOnStop;
        set => supervisor.DiscardSessionOnStop = value;
    }

    /// <summary>After <see cref="RunAsync"/>: the broker was told to throw the session away. False when there was no connection to say it
    /// on.</summary>
    public bool IsSessionDiscarded => supervisor.IsSessionDiscarded;

    /// <summary>
    /// Connects, serves, and reconnects with growing, random pauses until cancelled; then sends the acknowledgements given so far and a
    /// normal DISCONNECT (no will is published) and returns within about two seconds. A message without PUBACK by then fails with
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
                await supervisor.RunAsync(stop.Token);
            }
            finally
            {
                supervisor.Close();
                run.TrySetResult();
            }
        }
    }

    /// <summary>Waits until there are messages to take.</summary>
    /// <returns>False when the client has stopped and all have been taken.</returns>
    public ValueTask<bool> WaitForMessagesAsync(CancellationToken cancellationToken) => session.Inbox.WaitAsync(cancellationToken);

    /// <summary>
    /// Lets messages gather, for a consumer to whom many at once cost less than many one by one: waits until the time is over, but not when
    /// half of what the broker lets be unacknowledged has come, so that it never has to pause for this. For the consumer, which has
    /// acknowledged all that it took. May return early.
    /// </summary>
    public async Task GatherAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        session.Gathered.Reset();
        if (supervisor.Connection is not { } current || current.IsHalfFull || cancellationToken.IsCancellationRequested)
            return;
        gatherTimer.Change(atMost, Timeout.InfiniteTimeSpan);
        using (cancellationToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), session.Gathered))
            await session.Gathered.WaitAsync();
        gatherTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes the next message, in order of arrival. After a reconnect, messages of the old connection still come first and the
    /// broker repeats them later: the consumer must recognise repeats.</summary>
    public bool TryReceive(out MqttMessage message) => session.Inbox.TryReceive(out message);

    /// <summary>
    /// Tells the broker that a message is in safe hands. The order of calls is free: the packets leave in order of arrival, as MQTT
    /// demands,
    /// each when all earlier ones of its connection are done. Does nothing for QoS 0, for a second call, and for a message of an earlier
    /// connection.
    /// </summary>
    public void Acknowledge(in MqttMessage message) => Acknowledge(new ReadOnlySpan<MqttMessage>(in message));

    /// <summary>The same for many at once, in one write.</summary>
    public void Acknowledge(ReadOnlySpan<MqttMessage> messages)
    {
        var current = supervisor.Connection;
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
    /// <returns>Success, or "no matching subscribers" when the broker says that nothing subscribes to the topic.</returns>
    /// <exception cref="MqttPublishRefusedException">The broker will not take it.</exception>
    /// <exception cref="MqttException">The client stopped before the broker acknowledged; the message may or may not have
    /// arrived.</exception>
    public Task<MqttReasonCode> PublishAsync(
        string topic,
        ReadOnlyMemory<byte> payload,
        MqttQos qos,
        bool retain = false,
        string? contentType = null,
        CancellationToken cancellationToken = default
    )
    {
        if (MqttTopic.NameProblem(topic) is { } problem)
            throw new ArgumentException($"Cannot publish to the topic '{topic}': {problem}.", nameof(topic));
        if (contentType is not null && MqttTopic.TextProblem(contentType) is { } typeProblem)
            throw new ArgumentException($"The content type cannot be used: {typeProblem}.", nameof(contentType));
        if (qos > MqttQos.AtLeastOnce)
            throw new ArgumentOutOfRangeException(nameof(qos), qos, "This client publishes with QoS 0 or 1.");
        cancellationToken.ThrowIfCancellationRequested();
        var published = session.Store.Add(topic, payload, qos, retain, contentType, cancellationToken);
        supervisor.Connection?.WakeWriter();
        return published;
    }

    /// <summary>Whether the broker has granted a subscription on the present connection, also while it refuses others.</summary>
    /// <param name="filter">As it is in the options.</param>
    public bool IsGranted(string filter) => session.Subscriptions.IsGranted(filter);

    /// <summary>Ends a subscription, on this connection or the next, and does not make it again.</summary>
    /// <param name="filter">As it is in the options.</param>
    /// <param name="cancellationToken">Stops waiting; the broker is asked all the same.</param>
    /// <exception cref="MqttException">The broker refused, or the client stopped before it answered.</exception>
    public Task UnsubscribeAsync(string filter, CancellationToken cancellationToken)
    {
        if (MqttTopic.FilterProblem(filter) is { } problem)
            throw new ArgumentException($"Cannot unsubscribe from '{filter}': {problem}.", nameof(filter));
        var unsubscribed = session.Subscriptions.Remove(filter);
        supervisor.Connection?.WakeWriter();
        return unsubscribed.WaitAsync(cancellationToken);
    }

    /// <summary>Stops the client as a cancelled <see cref="RunAsync"/> does, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await gatherTimer.DisposeAsync();
        await supervisor.DisposeAsync();
        var wasRunning = Interlocked.CompareExchange(ref running, Task.CompletedTask, null);
        if (wasRunning is null)
        {
            supervisor.Close();
            return;
        }
        await disposing.CancelAsync();
        await wasRunning;
    }
}
