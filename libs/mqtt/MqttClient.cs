using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// An MQTT 5.0 client for at-least-once work: QoS 1 in both directions, explicit acknowledgements that leave in order of arrival, one
/// supervised connection at a time. <see cref="RunAsync"/> makes and keeps the connection. Everything else may be called before, during and
/// between connections, from any thread, except that only one consumer takes messages.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    readonly Session session;
    readonly Supervisor supervisor;
    readonly ITimer gatherTimer;
    readonly CancellationTokenSource disposing = new();
    Task? running;

    /// <exception cref="ArgumentException">The options cannot be used; the message lists every problem.</exception>
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

    /// <summary>Raised after each change, in order, on a thread of the client: handlers must be quick, not throw and not wait.</summary>
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

    /// <summary>Whether <see cref="RunAsync"/>, when it stops, tells the broker to discard the session: for a client id that is no longer
    /// needed.</summary>
    public bool DiscardSessionOnStop
    {
        get => supervisor.DiscardSessionOnStop;
        set => supervisor.DiscardSessionOnStop = value;
    }

    /// <summary>After <see cref="RunAsync"/>: whether the broker was told to discard the session. False when there was no
    /// connection.</summary>
    public bool IsSessionDiscarded => supervisor.IsSessionDiscarded;

    /// <summary>
    /// Connects, serves, and reconnects with growing, random pauses until cancelled. Then it sends the acknowledgements given so far and a
    /// normal DISCONNECT (no will is published), and returns within about two seconds. A message without PUBACK by then fails with
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
    /// Lets messages gather, for a consumer that handles many at once more cheaply than one by one. Waits until the time is over, or until
    /// half of the messages that the broker lets be unacknowledged have come, so that the broker never has to pause. Only for the consumer,
    /// once it has acknowledged all that it took. May return early.
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
    /// Tells the broker that a message is safely stored. Calls may come in any order: the packets leave in order of arrival, as MQTT
    /// demands, each when all earlier ones of its connection are done. Does nothing for QoS 0, for a second call, and for a message of an
    /// earlier connection.
    /// </summary>
    public void Acknowledge(in MqttMessage message) => Acknowledge(new ReadOnlySpan<MqttMessage>(in message));

    /// <summary>Acknowledges many messages in one write.</summary>
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
    /// order of calls. The client sets no bound: as many messages wait as callers have unfinished tasks.
    /// </summary>
    /// <param name="topic">Without wildcards.</param>
    /// <param name="payload">Not copied: do not change it until the task ends, or ever if the task is cancelled.</param>
    /// <param name="qos">0 or 1. With QoS 0 the task ends when a connection has taken the message.</param>
    /// <param name="retain">The broker keeps it as the topic's last value.</param>
    /// <param name="contentType">Content-type property, or null.</param>
    /// <param name="cancellationToken">Takes back a message that was not sent yet. A message that was sent may still arrive.</param>
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

    /// <summary>Whether the broker has granted a subscription on the present connection, even if it refuses others.</summary>
    /// <param name="filter">As it is in the options.</param>
    public bool IsGranted(string filter) => session.Subscriptions.IsGranted(filter);

    /// <summary>Ends a subscription, on this connection or the next, for good.</summary>
    /// <param name="filter">As it is in the options.</param>
    /// <param name="cancellationToken">Stops waiting; the broker is still asked.</param>
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
