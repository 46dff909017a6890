using System.Threading.Channels;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Publishes what is in the outboxes, each in order. After every connection it starts again with what the broker might have forgotten
/// (<see cref="ReplayWindow"/>), marked as replayed, and goes on with what is new. It stops last, after the samplers have stored what they
/// had in hand.
/// </summary>
sealed partial class Publisher : BackgroundService
{
    /// <summary>Batches published and not acknowledged, per kind; bounds memory. A broker usually allows 20.</summary>
    const int MaxInFlight = 64;

    /// <summary>What a stop may spend on publishing; hosting allows 25 s for everything.</summary>
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(12);

    /// <summary>
    /// <c>replayed = true</c> as a protobuf field. Appended to a batch that does not have the field, it is the same batch with it: in
    /// protobuf the order of fields is free. So a batch is marked without touching its other bytes.
    /// </summary>
    static ReadOnlySpan<byte> ReplayedMark => [ReadingBatch.ReplayedFieldNumber << 3, 1];

    static readonly TimeSpan ReadRetry = TimeSpan.FromSeconds(1);
    static readonly TimeSpan FirstHold = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(15);

    readonly AgentOptions options;
    readonly Outboxes outboxes;
    readonly Health health;
    readonly AgentMetrics metrics;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly MqttClient client;
    readonly ConnectionWatch connection = new();
    readonly ForwarderPresence presence;
    readonly CancellationTokenSource stop = new();

    public Publisher(AgentOptions options, Outboxes outboxes, Health health, AgentMetrics metrics, StatusPage page, TimeProvider clock, ILogger<Publisher> logger)
    {
        this.options = options;
        this.outboxes = outboxes;
        this.health = health;
        this.metrics = metrics;
        this.clock = clock;
        this.logger = logger;
        presence = new ForwarderPresence(options, clock);
        client = new MqttClient(options.Mqtt with { Subscriptions = presence.Subscriptions }, clock, logger);
        client.ConnectionChanged += OnConnectionChanged;
        health.Unwell("broker", "not connected yet");
        metrics.Observe(outboxes, () => Math.Max(0, client.Counters.Connections - 1));
        page.Add(json =>
        {
            json.WriteNumber("backlog"u8, outboxes.Sum(outbox => outbox.Backlog));
            json.WriteString("mqtt"u8, client.State switch { { IsConnected: true } => "connected", { LastError: { } error } => error, _ => "connecting" });
        });
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        List<Task> tasks = [client.RunAsync(stop.Token), presence.ListenAsync(client, stop.Token), .. outboxes.Select(outbox => RunAsync(outbox, stop.Token))];
        try
        {
            // None ends by itself before the stop; one that does has crashed, and the process with it.
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
            while (client.State.IsConnected && outboxes.Any(outbox => outbox is { Backlog: > 0, HeldBy: null }))
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock, both.Token);
            if (client.State.IsConnected)
                await client.PublishAsync(Topics.Status(options.DeviceId), AgentOptions.Offline, MqttQos.AtLeastOnce, retain: client.State.RetainAvailable, cancellationToken: both.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or MqttException)
        {
            // What is left stays in the outbox for the next start, and the will says "offline".
        }
        await stop.CancelAsync();
        await base.StopAsync(cancellationToken);
        await client.DisposeAsync();
    }

    void OnConnectionChanged(MqttConnectionState state)
    {
        connection.Change(state.IsConnected ? state.Generation : 0);
        if (state.IsConnected && state.Rival is null)
            health.Well("broker");
        else if ((state.Rival ?? state.LastError) is { } error)
            health.Unwell("broker", error);
    }

    /// <summary>One outbox: connection after connection until the stop.</summary>
    async Task RunAsync(Outbox outbox, CancellationToken stopping)
    {
        var window = new ReplayWindow(options.ReplayWindow, clock);
        var pass = new Pass();
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await outbox.OpenAsync(stopping);
                var lost = await connection.WaitAsync(stopping);
                window.Connected();
                using var either = CancellationTokenSource.CreateLinkedTokenSource(lost, stopping);
                // What is in the outbox by now was taken before the broker could be reached, or has been published before.
                pass.From = outbox.Journal.CommittedOffset;
                pass.ReplayUntil = outbox.Journal.NextOffset;
                await PublishAsync(outbox, window, pass, either.Token);
            }
            catch (OperationCanceledException)
            {
                window.Lost();
                outbox.Unconfirm();
            }
        }
    }

    /// <summary>One connection. Ends with <see cref="OperationCanceledException"/> when it is lost.</summary>
    async Task PublishAsync(Outbox outbox, ReplayWindow window, Pass pass, CancellationToken cancellationToken)
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
                await presence.PauseAsync(outbox.Kind, hold, cancellationToken);
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
    /// Publishes from <see cref="Pass.From"/> on until the broker does not take a batch; the batches before it have been acknowledged.
    /// </summary>
    /// <returns>Why the broker did not take it, or why none is published, for a person.</returns>
    async Task<string> PublishFromAsync(Outbox outbox, ReplayWindow window, Pass pass, CancellationToken cancellationToken)
    {
        await presence.WaitAsync(client, outbox.Kind, cancellationToken);
        if (presence.Absence(client, outbox) is { } absence)
            return absence;
        using var reader = outbox.Journal.OpenReader(pass.From);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inFlight = Channel.CreateBounded<InFlight>(new BoundedChannelOptions(MaxInFlight) { SingleReader = true, SingleWriter = true });
        // The first goes alone: if nobody listens or the broker refuses, nothing overtakes it.
        if (await NextAsync(outbox, reader, pass, ending.Token) is not { } probe)
            throw new OperationCanceledException();
        if (await AcknowledgedAsync(outbox, window, pass, probe) is { } refused)
            return refused;
        Resume(outbox);

        var acknowledging = AcknowledgeAllAsync();
        try
        {
            while (presence.Absence(client, outbox) is null && await NextAsync(outbox, reader, pass, ending.Token) is { } next)
                await inFlight.Writer.WriteAsync(next, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Why is known to the other side of the channel.
        }
        inFlight.Writer.TryComplete();
        var problem = await acknowledging ?? presence.Absence(client, outbox);
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
                // Takes back what follows.
                await ending.CancelAsync();
            }
        }
    }

    /// <summary>Waits for the next batch and hands it to the client. Null once the outbox is closed.</summary>
    async ValueTask<InFlight?> NextAsync(Outbox outbox, JournalReader reader, Pass pass, CancellationToken cancellationToken)
    {
        while (true)
        {
            JournalEntry entry;
            try
            {
                if (!reader.TryRead(out entry))
                {
                    if (!await reader.WaitToReadAsync(cancellationToken))
                        return null;
                    continue;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nothing is skipped: the reader goes on where it is.
                health.Unwell($"reading {Topics.Name(outbox.Kind)}", $"the outbox cannot be read: {e.Message}");
                try
                {
                    await Task.Delay(ReadRetry, clock, cancellationToken);
                }
                finally
                {
                    health.Forget($"reading {Topics.Name(outbox.Kind)}");
                }
                continue;
            }
            if (!StoredPayload.TryParse(entry.Payload, out var batch) || batch.IsJson)
            {
                // Whole by its checksum, and yet not ours: it stays in the journal for `journal export` until it is released.
                LogForeign(entry.Offset, outbox.Journal.Epoch);
                continue;
            }
            if (entry.Offset == outbox.AcknowledgedOffset)
                outbox.SetOldest(batch.StoredAt);
            var replayed = entry.Offset < Math.Max(pass.ReplayUntil, pass.SentUntil);
            pass.SentUntil = Math.Max(pass.SentUntil, entry.EndOffset);
            var acknowledged = client.PublishAsync(Topics.Readings(batch.DeviceId, batch.Kind), Message(batch.Bytes.Span, replayed), MqttQos.AtLeastOnce,
                contentType: Payload.ProtobufContentType, cancellationToken: cancellationToken);
            return new InFlight(entry.EndOffset, entry.Count, batch.StoredAt, replayed, clock.GetTimestamp(), acknowledged);
        }
    }

    /// <summary>A copy of a serialised <see cref="ReadingBatch"/> to publish.</summary>
    internal static byte[] Message(ReadOnlySpan<byte> batch, bool replayed)
    {
        var message = GC.AllocateUninitializedArray<byte>(batch.Length + (replayed ? ReplayedMark.Length : 0));
        batch.CopyTo(message);
        if (replayed)
            ReplayedMark.CopyTo(message.AsSpan(batch.Length));
        return message;
    }

    /// <summary>Waits for the broker's word on one batch.</summary>
    /// <returns>Null when it has it, else why not.</returns>
    async Task<string?> AcknowledgedAsync(Outbox outbox, ReplayWindow window, Pass pass, InFlight sent)
    {
        try
        {
            if (await sent.Acknowledged == MqttReasonCode.NoMatchingSubscribers)
            {
                return $"nobody subscribes to {Topics.Filter(outbox.Kind)}, and the broker drops what nobody subscribes to: {outbox.Backlog} readings wait here. "
                    + (outbox.Kind == ReadingKind.Inverter ? "Start the forwarder for inverter readings, or set INVERTERS_NUM=0." : "Start the forwarder for thermal readings.");
            }
        }
        catch (MqttPublishRefusedException e)
        {
            return $"{e.Message} {outbox.Backlog} readings wait here until it does.";
        }
        catch (MqttException)
        {
            // The client has stopped.
            throw new OperationCanceledException();
        }
        pass.From = sent.EndOffset;
        outbox.SetOldest(sent.AppendedAt);
        var isFirst = outbox.Acknowledge(sent.EndOffset) > 0;
        metrics.Published(outbox.Kind, sent.Count, sent.Replayed, isFirst, clock.GetElapsedTime(sent.At));
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
        connection.Dispose();
        base.Dispose();
    }

    /// <summary>Where publishing an outbox stands.</summary>
    sealed class Pass
    {
        /// <summary>First offset to publish.</summary>
        public long From { get; set; }

        /// <summary>Offsets below this are marked as replayed.</summary>
        public long ReplayUntil { get; set; }

        /// <summary>Offsets below this have been given to the client by this process.</summary>
        public long SentUntil { get; set; }
    }

    sealed record InFlight(long EndOffset, int Count, DateTimeOffset AppendedAt, bool Replayed, long At, Task<MqttReasonCode> Acknowledged);

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "Publishing waits: {Problem}")]
    partial void LogHeld(string problem);

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "Publishing of {Kind} readings goes on")]
    partial void LogResumed(string kind);

    [LoggerMessage(EventId = 12, Level = LogLevel.Error, Message = "The record at offset {Offset} of outbox {Epoch} is not a batch of readings and cannot be published; it stays there for `journal export`")]
    partial void LogForeign(long offset, string epoch);
}
