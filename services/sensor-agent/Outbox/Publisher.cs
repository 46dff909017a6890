using System.Threading.Channels;
using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Publishes the outboxes, each in order. After every connection it starts again with readings that the broker might have forgotten
/// (<see cref="ReplayWindow"/>), marked as replayed, and continues with new ones. It stops last, after the samplers have stored what they
/// had in hand.
/// </summary>
sealed partial class Publisher : BackgroundService
{
    /// <summary>Batches published and not acknowledged, per kind. Bounds memory. A broker usually allows 20.</summary>
    const int MaxInFlight = 64;

    /// <summary>What a stop may spend on publishing; hosting allows 25 s for everything.</summary>
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(12);

    static readonly TimeSpan FirstHold = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(15);

    readonly AgentOptions options;
    readonly Outboxes outboxes;
    readonly Health health;
    readonly AgentMetrics metrics;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly BrokerConnection broker;
    readonly CancellationTokenSource stop = new();

    public Publisher(
        AgentOptions options,
        Outboxes outboxes,
        BrokerConnection broker,
        Health health,
        AgentMetrics metrics,
        TimeProvider clock,
        ILogger<Publisher> logger
    )
    {
        this.options = options;
        this.outboxes = outboxes;
        this.broker = broker;
        this.health = health;
        this.metrics = metrics;
        this.clock = clock;
        this.logger = logger;
        metrics.Observe(outboxes, options.DataDirectory, () => broker.Reconnects);
    }

    MqttClient Client => broker.Client;

    ForwarderPresence Presence => broker.Forwarders;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        List<Task> tasks = [broker.RunAsync(stop.Token), .. outboxes.Select(outbox => RunAsync(outbox, stop.Token))];
        try
        {
            // No task ends by itself before the stop. If one does, it has crashed, and the process ends with it.
            await await Task.WhenAny(tasks);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var budget = new CancellationTokenSource(DrainTime, clock);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(budget.Token, cancellationToken);
            while (Client.State.IsConnected && outboxes.Any(outbox => outbox is { Backlog: > 0, HeldBy: null }))
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock, both.Token);
            if (Client.State.IsConnected)
                await Client.PublishAsync(
                    Topics.Status(options.DeviceId),
                    AgentOptions.Offline,
                    MqttQos.AtLeastOnce,
                    retain: Client.State.RetainAvailable,
                    cancellationToken: both.Token
                );
        }
        catch (Exception e) when (e is OperationCanceledException or MqttException)
        {
            // Unpublished readings stay in the outbox for the next start, and the will says "offline".
        }
        await stop.CancelAsync();
        await base.StopAsync(cancellationToken);
        await broker.DisposeAsync();
    }

    /// <summary>Publishes one outbox, connection after connection, until the stop.</summary>
    async Task RunAsync(Outbox outbox, CancellationToken stopping)
    {
        var window = new ReplayWindow(options.ReplayWindow, clock);
        var pass = new PublishingPass();
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await outbox.OpenAsync(stopping);
                var lost = await broker.WaitAsync(stopping);
                window.Connected();
                using var either = CancellationTokenSource.CreateLinkedTokenSource(lost, stopping);
                // The readings in the outbox were taken before the broker could be reached, or have been published before.
                pass.From = outbox.Journal.CommittedOffset;
                pass.ReplayUntil = outbox.Journal.NextOffset;
                var releasing = ReleaseAsync(outbox, window, either.Token);
                try
                {
                    await PublishAsync(outbox, window, pass, either.Token);
                }
                finally
                {
                    await either.CancelAsync();
                    await releasing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
            catch (OperationCanceledException)
            {
                window.Lost();
                outbox.ForgetAcknowledged();
            }
        }
    }

    /// <summary>
    /// Releases readings that the broker has for good, even while nothing is acknowledged any more, as when the device leaves the broker's
    /// cell.
    /// </summary>
    async Task ReleaseAsync(Outbox outbox, ReplayWindow window, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            if (outbox.IsHeldBack && window.Idle(options.Mqtt.KeepAlive * 2) is { } offset)
                outbox.Journal.Commit(offset);
        }
    }

    /// <summary>Publishes on one connection. Ends with <see cref="OperationCanceledException"/> when it is lost.</summary>
    async Task PublishAsync(Outbox outbox, ReplayWindow window, PublishingPass pass, CancellationToken cancellationToken)
    {
        var hold = FirstHold;
        try
        {
            while (true)
            {
                var from = pass.From;
                var problem = await PublishFromAsync(outbox, window, pass, cancellationToken);
                if (pass.From > from)
                    hold = FirstHold;
                if (outbox.HeldBy is null)
                    LogHeld(problem);
                outbox.HeldBy = problem;
                health.Unwell(Part(outbox), problem);
                await Presence.PauseAsync(outbox.Kind, hold, cancellationToken);
                hold = hold * 2 < LongestHold ? hold * 2 : LongestHold;
            }
        }
        finally
        {
            outbox.HeldBy = null;
            health.Well(Part(outbox));
        }
    }

    /// <summary>
    /// Publishes from <see cref="PublishingPass.From"/> on until the broker does not take a batch. By then, the batches before it are
    /// acknowledged.
    /// </summary>
    /// <returns>Why the broker did not take it, or why nothing is published, for a person.</returns>
    async Task<string> PublishFromAsync(Outbox outbox, ReplayWindow window, PublishingPass pass, CancellationToken cancellationToken)
    {
        await Presence.WaitAsync(Client, outbox.Kind, cancellationToken);
        if (Presence.Absence(Client, outbox) is { } absence)
            return absence;
        var feed = new OutboxFeed(outbox, Client, health, clock, logger);
        using var reader = outbox.Journal.OpenReader(pass.From);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inFlight = Channel.CreateBounded<PublishedBatch>(
            new BoundedChannelOptions(MaxInFlight) { SingleReader = true, SingleWriter = true }
        );
        // The first batch goes alone: if there is no subscriber or the broker refuses, nothing overtakes it.
        if (await feed.NextAsync(reader, pass, ending.Token) is not { } probe)
            throw new OperationCanceledException();
        if (await AcknowledgedAsync(outbox, window, pass, probe) is { } refused)
            return refused;
        Resume(outbox);

        var acknowledging = AcknowledgeAllAsync();
        try
        {
            while (Presence.Absence(Client, outbox) is null && await feed.NextAsync(reader, pass, ending.Token) is { } next)
                await inFlight.Writer.WriteAsync(next, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The other side of the channel knows why.
        }
        inFlight.Writer.TryComplete();
        var problem = await acknowledging ?? Presence.Absence(Client, outbox);
        cancellationToken.ThrowIfCancellationRequested();
        return problem ?? throw new OperationCanceledException();

        async Task<string?> AcknowledgeAllAsync()
        {
            try
            {
                await foreach (var sent in inFlight.Reader.ReadAllAsync(CancellationToken.None))
                {
                    if (await AcknowledgedAsync(outbox, window, pass, sent) is { } problem)
                        return problem;
                }
                return null;
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            finally
            {
                // Cancels the batches that follow.
                await ending.CancelAsync();
            }
        }
    }

    /// <summary>Waits for the broker's answer to one batch.</summary>
    /// <returns>Null if the broker has it, else why not.</returns>
    async Task<string?> AcknowledgedAsync(Outbox outbox, ReplayWindow window, PublishingPass pass, PublishedBatch sent)
    {
        try
        {
            var answer = await sent.Acknowledged;
            metrics.Answered(answer, clock.GetElapsedTime(sent.At));
            if (answer == MqttReasonCode.NoMatchingSubscribers)
            {
                return $"nothing subscribes to {Topics.Filter(outbox.Kind)}, and the broker drops messages without subscribers: "
                    + $"{outbox.Backlog} readings wait here. "
                    + (
                        outbox.Kind == ReadingKind.Inverter
                            ? "Start the forwarder for inverter readings, or set INVERTERS_NUM=0."
                            : "Start the forwarder for thermal readings."
                    );
            }
        }
        catch (MqttPublishRefusedException e)
        {
            metrics.Answered(e.Reason, clock.GetElapsedTime(sent.At));
            return $"{e.Message} {outbox.Backlog} readings wait here until the broker takes them.";
        }
        catch (MqttException)
        {
            // The client has stopped.
            throw new OperationCanceledException();
        }
        pass.From = sent.EndOffset;
        outbox.SetOldest(sent.AppendedAt);
        var isFirst = outbox.Acknowledge(sent.EndOffset) > 0;
        metrics.Published(outbox.Kind, sent.Count, sent.Replayed, isFirst);
        if (window.Acknowledged(sent.EndOffset) is { } offset)
            outbox.Journal.Commit(offset);
        outbox.MakeRoom();
        return null;
    }

    void Resume(Outbox outbox)
    {
        if (outbox.HeldBy is not null)
            LogResumed(Topics.Name(outbox.Kind));
        outbox.HeldBy = null;
        health.Well(Part(outbox));
    }

    static string Part(Outbox outbox) => $"publishing {Topics.Name(outbox.Kind)}";

    public override void Dispose()
    {
        stop.Dispose();
        base.Dispose();
    }

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "Publishing waits: {Problem}")]
    partial void LogHeld(string problem);

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "Publishing of {Kind} readings resumed")]
    partial void LogResumed(string kind);
}
