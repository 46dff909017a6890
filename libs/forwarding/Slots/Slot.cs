using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// One slot of a forwarder: a directory with a lock, a journal, an MQTT session and a sink of its own. Takes messages in (receive a group,
/// drop readings that are stored already, append the rest, fsync, acknowledge in order), and has <see cref="DeliveryLoop"/> deliver the
/// journal.
/// </summary>
sealed class Slot : IAsyncDisposable
{
    /// <summary>Most messages stored with one fsync; the broker cannot send more than Receive Maximum unacknowledged anyway.</summary>
    const int MaxGroup = 1000;

    /// <summary>Most payload bytes stored with one fsync: bounds memory when messages are large.</summary>
    const int MaxGroupBytes = 2 * 1024 * 1024;

    /// <summary>Upper bound of the bytes that a message takes in the journal besides its payload.</summary>
    const int RecordOverhead = 300;

    static readonly TimeSpan ReplayInterval = TimeSpan.FromSeconds(5);

    readonly SlotDirectory directory;
    readonly SlotServices services;
    readonly ForwarderOptions options;
    readonly ReadingStore store;
    readonly IBatchSink sink;
    readonly DeliveryLoop delivery;
    readonly MqttClient mqtt;
    readonly ConnectionReport connection;
    readonly Replay replay;
    readonly Intake intake;
    readonly SessionDrain drain;
    readonly SlotSubscriptions subscriptions;
    readonly Persistently untilLettersAreKept;
    readonly Health health;
    readonly TimeProvider clock;
    readonly List<MqttMessage> group = [];
    readonly List<Arrival> arrivals = [];
    long groupBytes,
        handledMessages;
    bool isRetired;

    Slot(
        SlotDirectory directory,
        DurableJournal journal,
        ReadingStore store,
        Dictionary<string, int> unsettled,
        bool isAdopted,
        SlotServices services
    )
    {
        this.directory = directory;
        this.services = services;
        this.store = store;
        options = services.Options;
        health = services.Health;
        clock = services.Clock;
        Journal = journal;
        IsAdopted = isAdopted;
        var (deadLetters, metrics, logger) = (services.DeadLetters, services.Metrics, services.Logger);
        var context = new SlotContext(directory.Name, journal.Epoch, journal.NextOffset, directory.Path, Read, deadLetters);
        sink = services.CreateSink(context);
        delivery = new DeliveryLoop(
            new DeliveryCursor(journal, context.Name, metrics, clock, logger),
            sink,
            context,
            services.Pause,
            health,
            clock,
            logger
        );
        subscriptions = new SlotSubscriptions(directory, options, logger);
        if (!isAdopted)
            subscriptions.Begin();
        var wanted = isAdopted ? (MqttSubscription[])[] : [.. options.Subscriptions.Select(filter => new MqttSubscription(filter))];
        mqtt = new MqttClient(options.Mqtt with { ClientId = directory.ClientId, Subscriptions = wanted }, clock, logger);
        connection = new ConnectionReport(() => mqtt.State, health, Name, $"{options.Mqtt.Host}:{options.Mqtt.Port}");
        mqtt.ConnectionChanged += _ => connection.Update();
        intake = new Intake(directory.Name, services);
        replay = new Replay(store, journal, services, intake.TakeAgain, unsettled);
        drain = new SessionDrain(subscriptions, mqtt, () => Volatile.Read(ref handledMessages), options, clock, logger);
        untilLettersAreKept = new Persistently("dead letters", health, clock)
        {
            Explain = e => $"{deadLetters.Directory}: {e.Message}. Free space on the data volume.",
            IsAlwaysListed = true,
        };
    }

    /// <summary>Payload bytes after which a group takes no more: a small journal must hold several groups.</summary>
    public static long GroupBytes(ForwarderOptions options) => Math.Min(MaxGroupBytes, options.Journal.MaxBytes / 8);

    /// <summary>The slot's journal.</summary>
    public DurableJournal Journal { get; }

    /// <summary>Whether the slot's owner is gone, so that this replica empties and retires the slot.</summary>
    public bool IsAdopted { get; }

    public string Name => directory.Name;

    /// <summary>How long a batch waits for more readings now.</summary>
    public TimeSpan Linger => delivery.Linger;

    /// <summary>Where the readings are delivered.</summary>
    public string Destination => sink.Destination;

    /// <summary>The requests to deliver the journal at once.</summary>
    public FlushRequests Flushes => delivery.Flushes;

    /// <summary>
    /// Opens the journal of a slot that this process holds. The journal is delivered even while the ledger cannot be used.
    /// </summary>
    /// <param name="directory">The slot's directory, which this process has locked.</param>
    /// <param name="ledger">Which readings are stored.</param>
    /// <param name="services">What all slots share.</param>
    /// <param name="isAdopted">Whether the slot is to be emptied and retired.</param>
    /// <param name="skipUnreadable">Whether bytes that the device cannot read are skipped.</param>
    /// <exception cref="IOException">The journal cannot be used now.</exception>
    public static Slot Open(SlotDirectory directory, Ledger ledger, SlotServices services, bool isAdopted, bool skipUnreadable)
    {
        ReadingStore? store = null;
        var journal = DurableJournal.Open(
            services.Options.Journal with
            {
                Directory = directory.JournalPath,
                // The slot lingers itself, before it enters the ledger.
                Linger = TimeSpan.Zero,
                SkipUnreadable = skipUnreadable,
                BeforeReclaim = () => store?.MayReclaim() == true,
            },
            services.Clock,
            services.Logger
        );
        try
        {
            var unsettled = Replay.Unsettled(directory.Name, journal, services.DeadLetters, services.Logger);
            store = new ReadingStore(directory.Name, journal, ledger, services.Senders, services.Health, services.Clock, services.Logger);
            return new Slot(directory, journal, store, unsettled, isAdopted, services);
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Runs until <paramref name="stop"/>. Then intake ends, messages in hand are made durable and acknowledged, and delivery continues, at
    /// most until <paramref name="abort"/>. An adopted slot also ends when nothing is left of it.
    /// </summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        using var endIntake = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
        using var endMqtt = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using var endDelivery = CancellationTokenSource.CreateLinkedTokenSource(abort);
        var session = mqtt.RunAsync(endMqtt.Token);
        var delivering = delivery.RunAsync(endDelivery.Token, abort);
        try
        {
            var takingIn = IntakeAsync(endIntake.Token);
            var emptying = IsAdopted ? EmptySessionAsync(endIntake) : subscriptions.EndEarlierAsync(mqtt, endIntake.Token);
            await await Task.WhenAny(takingIn, delivering);
            await endIntake.CancelAsync();
            await takingIn;
            await emptying;
            // Keeps a paused slot: another replica would only adopt it again.
            if (IsAdopted)
                await services.Pause.WaitAsync(stop);
            mqtt.DiscardSessionOnStop = drain.IsSessionEmpty;
            await endMqtt.CancelAsync();
            await session;
            await endDelivery.CancelAsync();
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

    /// <summary>Messages of QoS 0 that were dropped because intake was behind.</summary>
    public long DroppedMessages => mqtt.DroppedMessages;

    /// <summary>Removes an empty adopted slot from the ledger; its directory is deleted when the slot is closed.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop first.</exception>
    public async Task RetireAsync(CancellationToken stop)
    {
        await store.ForgetSlotAsync(stop);
        isRetired = true;
    }

    /// <summary>After <see cref="RunAsync"/> of an adopted slot: whether nothing is left of it, neither here nor at the broker.</summary>
    public bool IsEmpty { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await mqtt.DisposeAsync();
        delivery.Dispose();
        await sink.DisposeAsync();
        Journal.Dispose();
        health.Forget($"mqtt {Name}");
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
            // Stopping, or the disk refused: what is not acknowledged comes again.
        }
    }

    async Task TakeAllInAsync(CancellationToken cancellationToken)
    {
        long? lastReplay = null;
        connection.Update();
        store.Room.ReportWell();
        await store.IndexJournalAsync(cancellationToken);
        await replay.SettleAsync(cancellationToken);
        var presence = new Presence(mqtt, options, clock);
        var pace = new GroupPace(mqtt, options.Journal.Linger, clock);
        while (!cancellationToken.IsCancellationRequested)
        {
            // An adopted slot takes only what the broker still has for it.
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
            await pace.WaitAsync(group.Count, cancellationToken);
            group.Clear();
            arrivals.Clear();
            intake.Begin();
            groupBytes = 0;
            Take();
            // Messages that are not stored are not acknowledged: they come again.
            if (!await store.Room.WaitAsync(groupBytes, cancellationToken))
                return;
            await StoreAsync(cancellationToken);
            Volatile.Write(ref handledMessages, handledMessages + group.Count);
        }
    }

    void Take()
    {
        var limit = GroupBytes(options);
        while (group.Count < MaxGroup && groupBytes < limit && mqtt.TryReceive(out var message))
        {
            group.Add(message);
            var arrival = intake.Take(message);
            // A mapping's result may be longer than the message.
            groupBytes += Math.Max(message.Payload.Length, arrival?.Body.Length ?? 0) + RecordOverhead;
            if (arrival is not null)
                arrivals.Add(arrival);
        }
    }

    /// <exception cref="OperationCanceledException">The disk refused until the stop; nothing is acknowledged.</exception>
    async Task StoreAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var stored = arrivals.Count > 0 ? await store.StoreAsync(arrivals, cancellationToken) : 0;
        if (intake.HasLetters)
            await untilLettersAreKept.DoAsync(services.DeadLetters.Flush, cancellationToken);
        var received = 0;
        foreach (var arrival in arrivals)
            received += arrival.Count;
        services.Metrics.Stored(received, stored, received - stored, intake.DeadMessages, clock.GetElapsedTime(started));
        mqtt.Acknowledge(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(group));
        await store.ConfirmAsync(cancellationToken);
    }

    async Task EmptySessionAsync(CancellationTokenSource endIntake)
    {
        await drain.RunAsync(endIntake.Token);
        await endIntake.CancelAsync();
    }

    IEnumerable<BatchReading> Read(long first, long end)
    {
        using var reader = Journal.OpenReader(first);
        while (reader.TryRead(out var record) && record.Offset < end)
        {
            if (
                JournalPayload.TryDecode(record.Payload.ToArray(), AssignedIdentity.BootIdOf(Journal.Epoch), record.Offset)
                is not { } payload
            )
                continue;
            for (var offset = Math.Max(first, record.Offset); offset < Math.Min(end, record.EndOffset); offset++)
                yield return new BatchReading(offset, payload, (int)(offset - record.Offset));
        }
    }
}
