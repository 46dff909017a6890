using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// One lane of a forwarder: a directory with a lock, a journal, an MQTT session and a sink of its own.
/// Intake: receive a group, drop what the ledger knows, append, fsync, acknowledge in order. Delivery: <see cref="DeliveryLoop"/>.
/// </summary>
sealed partial class Slot : IAsyncDisposable
{
    /// <summary>Most messages stored with one fsync; the broker cannot send more than Receive Maximum unacknowledged anyway.</summary>
    const int MaxGroup = 1000;

    /// <summary>Most payload bytes stored with one fsync: bounds memory when messages are large.</summary>
    const int MaxGroupBytes = 2 * 1024 * 1024;

    /// <summary>What a message takes in the journal besides its payload, and more.</summary>
    const int RecordOverhead = 300;

    static readonly TimeSpan ReplayInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Groups begin no sooner than this after one another, unless the broker would have to pause for it (<see cref="MqttClient.GatherAsync"/>): a group costs
    /// an fsync and some thread switches, however many messages share them. What comes alone waits for nothing.
    /// </summary>
    static readonly TimeSpan GroupInterval = TimeSpan.FromMilliseconds(50);

    readonly SlotDirectory directory;
    readonly ForwarderOptions options;
    readonly ReadingStore store;
    readonly DeadLetters deadLetters;
    readonly IBatchSink sink;
    readonly DeliveryLoop delivery;
    readonly MqttClient mqtt;
    readonly Replay replay;
    readonly Intake intake;
    readonly Health health;
    readonly ForwarderMetrics metrics;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly List<MqttMessage> group = [];
    readonly List<Arrival> arrivals = [];
    long groupBytes;
    long stored;
    (long Generation, long Received)? emptied;
    bool isRetired;

    Slot(SlotDirectory directory, DurableJournal journal, ForwarderOptions options, ReadingStore store, DeadLetters deadLetters, Func<SlotContext, IBatchSink> createSink,
        Dictionary<string, int> unsettled, bool isAdopted, SenderNotes senders, Health health, ForwarderMetrics metrics, TimeProvider clock, ILogger logger)
    {
        this.directory = directory;
        this.options = options;
        this.store = store;
        this.deadLetters = deadLetters;
        this.health = health;
        this.metrics = metrics;
        this.clock = clock;
        this.logger = logger;
        Journal = journal;
        IsAdopted = isAdopted;
        var context = new SlotContext(directory.Name, journal.Epoch, directory.Path, Read, deadLetters);
        sink = createSink(context);
        delivery = new DeliveryLoop(journal, sink, context, health, metrics, clock, logger);
        mqtt = new MqttClient(options.Mqtt with { ClientId = directory.ClientId, Subscriptions = isAdopted ? [] : [new MqttSubscription(options.Subscription)] }, clock, logger);
        mqtt.ConnectionChanged += state => Report(state);
        intake = new Intake(directory.Name, options, deadLetters, senders, metrics, clock, logger);
        replay = new Replay(directory.Name, journal, deadLetters, intake.TakeAgain, unsettled,
            Math.Min(MaxGroupBytes / 4, options.Journal.MaxBytes / 8), WaitForSpaceAsync, health, clock, logger);
    }

    /// <summary>The slot's journal.</summary>
    public DurableJournal Journal { get; }

    /// <summary>True for a slot that its owner left behind: it is emptied and retired.</summary>
    public bool IsAdopted { get; }

    public string Name => directory.Name;

    /// <summary>Opens the journal of a slot that this process holds. Whether the ledger can be used does not matter yet: what the journal holds is delivered all the same.</summary>
    public static Slot Open(SlotDirectory directory, ForwarderOptions options, Ledger ledger, DeadLetters deadLetters, Func<SlotContext, IBatchSink> createSink,
        bool isAdopted, bool skipUnreadable, SenderNotes senders, Health health, ForwarderMetrics metrics, TimeProvider clock, ILogger logger)
    {
        ReadingStore? store = null;
        // The slot lingers itself, before it enters the ledger.
        var journal = DurableJournal.Open(options.Journal with { Directory = directory.JournalPath, Linger = TimeSpan.Zero, SkipUnreadable = skipUnreadable, BeforeReclaim = () => store?.MayReclaim() == true }, clock, logger);
        try
        {
            var unsettled = Replay.Unsettled(directory.Name, journal, deadLetters, logger);
            store = new ReadingStore(directory.Name, journal, ledger, senders, health, clock, logger);
            return new Slot(directory, journal, options, store, deadLetters, createSink, unsettled, isAdopted, senders, health, metrics, clock, logger);
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Runs until <paramref name="stop"/>; then intake ends first, what is in hand is made durable and acknowledged, and as much is delivered as
    /// <paramref name="abort"/> allows. An adopted slot also ends when nothing is left of it.
    /// </summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        using var endIntake = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
        using var endMqtt = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using var drain = CancellationTokenSource.CreateLinkedTokenSource(abort);
        var session = mqtt.RunAsync(endMqtt.Token);
        var delivering = delivery.RunAsync(drain.Token, abort);
        try
        {
            var intake = IntakeAsync(endIntake.Token);
            var emptying = IsAdopted ? EmptyAsync(endIntake) : Task.CompletedTask;
            await await Task.WhenAny(intake, delivering);
            await endIntake.CancelAsync();
            await intake;
            await emptying;
            // What has come, or could have come by another connection, since the session was found empty would go with it.
            mqtt.DiscardSessionOnStop = emptied == Arrived;
            await endMqtt.CancelAsync();
            await session;
            await drain.CancelAsync();
            await delivering;
            IsEmpty = mqtt.IsSessionDiscarded && Journal.BacklogReadings == 0 && replay.Begun.Length == 0;
        }
        finally
        {
            await endIntake.CancelAsync();
            await endMqtt.CancelAsync();
        }
    }

    /// <summary>Connections to the broker so far.</summary>
    public long Connections => mqtt.Counters.Connections;

    /// <summary>Takes an adopted slot of which nothing is left out of the ledger; then its directory goes when it is closed.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop first.</exception>
    public async Task RetireAsync(CancellationToken stop)
    {
        await store.ForgetSlotAsync(stop);
        isRetired = true;
    }

    /// <summary>After <see cref="RunAsync"/> of an adopted slot: nothing is left of it, neither here nor at the broker.</summary>
    public bool IsEmpty { get; private set; }

    /// <summary>The connection, and all that has come by it and those before.</summary>
    (long Generation, long Received) Arrived => (mqtt.State.Generation, mqtt.Counters.Received);

    public async ValueTask DisposeAsync()
    {
        await mqtt.DisposeAsync();
        delivery.Dispose();
        await sink.DisposeAsync();
        Journal.Dispose();
        health.Forget($"mqtt {Name}");
        health.Forget($"journal {Name}");
        health.Forget($"delivery {Name}");
        health.Forget($"replay {Name}");
        store.Close();
        // After the journal, which writes its cursor when it is closed.
        if (isRetired)
            directory.Retire();
        directory.Dispose();
    }

    async Task IntakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await TakeAllInAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The disk refused what was taken. It is not acknowledged: it comes again.
        }
    }

    async Task TakeAllInAsync(CancellationToken cancellationToken)
    {
        long? lastReplay = null;
        long? lastGroup = null;
        Report(mqtt.State);
        health.Well($"journal {Name}");
        await store.EnterJournalAsync(cancellationToken);
        await replay.SettleAsync(cancellationToken);
        var presence = new Presence(mqtt, options.Kind, clock);
        while (!cancellationToken.IsCancellationRequested)
        {
            // What comes for an adopted slot is only the rest.
            if (!IsAdopted && Journal.FullReason is null)
                presence.Say();
            if (lastReplay is not { } last || clock.GetElapsedTime(last) >= ReplayInterval)
            {
                await replay.TakeInAsync(cancellationToken);
                lastReplay = clock.GetTimestamp();
            }
            if (mqtt.WaitingMessages == 0)
            {
                try
                {
                    using var until = new CancellationTokenSource(ReplayInterval, clock);
                    using var any = CancellationTokenSource.CreateLinkedTokenSource(until.Token, cancellationToken);
                    if (!await mqtt.WaitForMessagesAsync(any.Token))
                        return;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
            }
            // What somebody asked for is waited for in full, also when messages come one by one and half of next to nothing has come at once.
            if (options.Journal.Linger > TimeSpan.Zero)
                await Task.Delay(options.Journal.Linger, clock, cancellationToken);
            if (lastGroup is { } at && GroupInterval - clock.GetElapsedTime(at) is var pause && pause > TimeSpan.Zero)
                await mqtt.GatherAsync(pause, cancellationToken);
            lastGroup = clock.GetTimestamp();
            group.Clear();
            arrivals.Clear();
            intake.Begin();
            groupBytes = 0;
            Take();
            // Other slots wait for readings that are claimed, so space comes first. What was taken and not stored is not acknowledged: it comes again.
            if (!await WaitForSpaceAsync(groupBytes, cancellationToken))
                return;
            await StoreAsync(cancellationToken);
            Volatile.Write(ref stored, stored + group.Count);
        }
    }

    async Task<bool> WaitForSpaceAsync(long bytes, CancellationToken cancellationToken)
    {
        while ((Journal.FullReason ?? Journal.WhyNoRoomFor(bytes)) is { } reason)
        {
            health.Unwell($"journal {Name}", $"{reason}. The broker keeps what comes until there is room.");
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        health.Well($"journal {Name}");
        return true;
    }

    /// <summary>Adds to the group what has arrived.</summary>
    void Take()
    {
        // A small journal must hold several groups, or the first would wait for ever.
        var limit = Math.Min(MaxGroupBytes, options.Journal.MaxBytes / 8);
        while (group.Count < MaxGroup && groupBytes < limit && mqtt.TryReceive(out var message))
        {
            group.Add(message);
            groupBytes += message.Payload.Length + RecordOverhead;
            if (intake.Take(message) is { } arrival)
                arrivals.Add(arrival);
        }
    }

    /// <exception cref="OperationCanceledException">The disk refused until the stop; nothing is acknowledged.</exception>
    async Task StoreAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var stored = arrivals.Count > 0 ? await store.StoreAsync(arrivals, cancellationToken) : 0;
        if (intake.HasLetters)
            await FlushDeadLettersAsync(cancellationToken);
        var received = 0;
        foreach (var arrival in arrivals)
            received += arrival.Count;
        metrics.Stored(received, stored, received - stored, intake.Poisoned, clock.GetElapsedTime(started));
        mqtt.Acknowledge(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(group));
        await store.ConfirmAsync(cancellationToken);
    }

    async Task FlushDeadLettersAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                deadLetters.Flush();
                health.Well("dead letters");
                return;
            }
            catch (IOException e)
            {
                health.Unwell("dead letters", $"{deadLetters.Directory}: {e.Message}. Free space on the data volume.");
                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            }
        }
    }

    /// <summary>Ends an adopted slot: no new messages, what the broker still holds for its session, then nothing for a while.</summary>
    async Task EmptyAsync(CancellationTokenSource endIntake)
    {
        try
        {
            (long, long) before;
            await mqtt.UnsubscribeAsync(options.Subscription, endIntake.Token);
            do
            {
                await WaitForQuietAsync(endIntake.Token);
                before = Arrived;
                // Once more, for the answer: it comes behind all that the broker had to send.
                await mqtt.UnsubscribeAsync(options.Subscription, endIntake.Token);
            }
            while (Arrived != before);
            emptied = before;
            await endIntake.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // Asked to stop first; the next owner goes on.
        }
        catch (MqttException e)
        {
            LogNotEmptied(Name, e.Message);
            await endIntake.CancelAsync();
        }
    }

    /// <summary>Waits until, for long enough, one connection has brought nothing although all that had come was stored and acknowledged.</summary>
    async Task WaitForQuietAsync(CancellationToken cancellationToken)
    {
        var (since, arrived) = (clock.GetTimestamp(), Arrived);
        while (clock.GetElapsedTime(since) < options.SlotDrainQuiet)
        {
            await Task.Delay(options.SlotDrainQuiet / 10, clock, cancellationToken);
            // The broker holds back what is behind that which is not acknowledged.
            var isIdle = mqtt.State.IsConnected && Volatile.Read(ref stored) == mqtt.Counters.Received - mqtt.DroppedMessages;
            if (!isIdle || Arrived != arrived)
                (since, arrived) = (clock.GetTimestamp(), Arrived);
        }
    }

    /// <summary>Null when it cannot be read.</summary>
    public static Payload? TryDecode(ReadOnlyMemory<byte> record, string? journal = null, long firstOffset = 0)
    {
        try
        {
            return StoredPayload.Decode(record, journal, firstOffset);
        }
        catch (PayloadException)
        {
            return null;
        }
    }

    IEnumerable<BatchReading> Read(long first, long end)
    {
        using var reader = Journal.OpenReader(first);
        while (reader.TryRead(out var record) && record.Offset < end)
        {
            if (TryDecode(record.Payload.ToArray(), AssignedIdentity.BootIdOf(Journal.Epoch), record.Offset) is not { } payload)
                continue;
            for (var offset = Math.Max(first, record.Offset); offset < Math.Min(end, record.EndOffset); offset++)
                yield return new BatchReading(offset, payload, (int)(offset - record.Offset));
        }
    }

    void Report(MqttConnectionState state)
    {
        if (state.IsReady && state.Rival is null)
            health.Well($"mqtt {Name}");
        else
            health.Unwell($"mqtt {Name}", state.Rival ?? state.LastError ?? $"connecting to {options.Mqtt.Host}:{options.Mqtt.Port}");
    }


    [LoggerMessage(EventId = 132, Level = LogLevel.Warning, Message = "{Slot} could not be emptied yet: {Reason}")]
    partial void LogNotEmptied(string slot, string reason);
}
