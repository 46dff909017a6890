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
    readonly Ledger ledger;
    readonly DeadLetters deadLetters;
    readonly IBatchSink sink;
    readonly DeliveryLoop delivery;
    readonly MqttClient mqtt;
    readonly Replay replay;
    readonly Health health;
    readonly ForwarderMetrics metrics;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Dictionary<string, (string DeviceId, ReadingKind Kind)> topics = new(StringComparer.Ordinal);
    readonly List<MqttMessage> group = [];
    readonly List<Arrival> arrivals = [];
    readonly List<JournalRecord> records = [];
    long groupBytes;
    long stored;
    (long Generation, long Received)? emptied;

    Slot(SlotDirectory directory, DurableJournal journal, ForwarderOptions options, Ledger ledger, DeadLetters deadLetters, Func<SlotContext, IBatchSink> createSink,
        Dictionary<string, int> unsettled, bool isAdopted, Health health, ForwarderMetrics metrics, TimeProvider clock, ILogger logger)
    {
        this.directory = directory;
        this.options = options;
        this.ledger = ledger;
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
        replay = new Replay(directory.Name, journal, deadLetters, letter => RecordOf(Read(letter.Topic, letter.Payload, letter.ContentType)), unsettled,
            Math.Min(MaxGroupBytes / 4, options.Journal.MaxBytes / 8), WaitForSpaceAsync, health, clock, logger);
    }

    /// <summary>The slot's journal.</summary>
    public DurableJournal Journal { get; }

    /// <summary>True for a slot that its owner left behind: it is emptied and retired.</summary>
    public bool IsAdopted { get; }

    public string Name => directory.Name;

    /// <summary>Opens the journal of a slot that this process holds and brings the ledger up to it.</summary>
    public static async Task<Slot> OpenAsync(SlotDirectory directory, ForwarderOptions options, Ledger ledger, DeadLetters deadLetters, Func<SlotContext, IBatchSink> createSink,
        bool isAdopted, Health health, ForwarderMetrics metrics, TimeProvider clock, ILogger logger)
    {
        // After a power cut the ledger may lack what the journal has: nothing goes before it is entered.
        var isEntered = false;
        Dictionary<string, int> unsettled;
        // The slot lingers itself, before it enters the ledger: others wait for that.
        var journal = DurableJournal.Open(options.Journal with { Directory = directory.JournalPath, Linger = TimeSpan.Zero, BeforeReclaim = () => isEntered && ledger.Flush() }, clock, logger);
        try
        {
            await EnterJournalAsync(ledger, directory.Name, journal);
            unsettled = Replay.Unsettled(directory.Name, journal, deadLetters, logger);
            isEntered = true;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
        return new Slot(directory, journal, options, ledger, deadLetters, createSink, unsettled, isAdopted, health, metrics, clock, logger);
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

    /// <summary>Set when the slot's directory is to go when it is closed.</summary>
    public bool IsRetired { get; set; }

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
        // After the journal, which writes its cursor when it is closed.
        if (IsRetired)
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
            groupBytes = 0;
            Take();
            // Whoever waited for space inside the ledger would hold up every other slot. What was taken and not stored is not acknowledged: it comes again.
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
            try
            {
                arrivals.Add(Read(message.Topic, message.Payload, message.ContentType));
            }
            catch (PayloadException e)
            {
                LogPoison(Name, message.Topic, message.Payload.Length, e.Message);
                deadLetters.AddMessage(e.Message, message.Topic, message.ContentType, message.Payload.Span);
            }
        }
    }

    /// <exception cref="OperationCanceledException">The disk refused until the stop; nothing is acknowledged.</exception>
    async Task StoreAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var stored = arrivals.Count > 0 ? await AppendNewAsync(cancellationToken) : 0;
        var poisoned = group.Count - arrivals.Count;
        if (poisoned > 0)
            await FlushDeadLettersAsync(cancellationToken);
        var received = 0;
        foreach (var arrival in arrivals)
            received += arrival.Count;
        metrics.Stored(received, stored, received - stored, poisoned, clock.GetElapsedTime(started));
        mqtt.Acknowledge(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(group));
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

    /// <exception cref="PayloadException">It cannot be stored; why.</exception>
    Arrival Read(string name, ReadOnlyMemory<byte> body, string? contentType)
    {
        if (!topics.TryGetValue(name, out var topic))
        {
            if (!Topics.TryParse(name, out topic.DeviceId, out topic.Kind))
                throw new PayloadException("the topic is not telemetry/v1/{device_id}/thermal or /inverter");
            if (topics.Count > 10_000)
                topics.Clear();
            topics[name] = topic;
        }
        var receivedAt = clock.GetUtcNow();
        var isJson = Payload.IsJson(body.Span, contentType);
        // Before it is decoded, which takes memory.
        var limit = Math.Min(SpoolRecord.MaxBytes, options.Journal.MaxBytes / 4) - 512;
        if (body.Length > limit)
            throw new PayloadException($"the payload is {body.Length} bytes long; at most {limit} are stored as one message");
        var payload = Payload.Decode(body, isJson, topic.DeviceId, topic.Kind, receivedAt);
        var header = StoredPayload.Header(isJson, topic.Kind, topic.DeviceId, receivedAt);
        return new Arrival(header, body, payload.Count, Ledger.Runs(payload));
    }

    static JournalRecord RecordOf(Arrival arrival) => new(arrival.Body, arrival.Count) { Prefix = arrival.Header };

    /// <summary>Stores what the ledger does not know; returns how many readings that were.</summary>
    async Task<int> AppendNewAsync(CancellationToken cancellationToken)
    {
        using var entry = await EnterLedgerAsync(cancellationToken);
        // What has come while others were in the ledger shares this fsync, if there is room for it.
        if (Journal.WhyNoRoomFor(MaxGroupBytes) is null)
            Take();
        var readings = 0;
        records.Clear();
        foreach (var arrival in arrivals)
        {
            if (NewOnly(arrival) is not { } fresh)
                continue;
            records.Add(RecordOf(fresh));
            readings += fresh.Count;
        }
        if (records.Count > 0)
        {
            var first = await AppendAsync();
            ledger.SetPosition(Name, Journal.Epoch, first + readings);
        }
        entry.Complete();
        return readings;
    }

    /// <summary>Enters the ledger, however long its files cannot be used: nothing is acknowledged meanwhile.</summary>
    async Task<Ledger.Entry> EnterLedgerAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var entry = await ledger.EnterAsync(Name);
                health.Well("ledger");
                return entry;
            }
            catch (IOException e)
            {
                if (attempt == 1)
                    LogLedger(Name, e.Message);
                health.Unwell("ledger", e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            }
        }
    }

    async Task<long> AppendAsync()
    {
        // Not the stopping token: what was received is finished.
        var appending = Journal.AppendAsync(records, CancellationToken.None).AsTask();
        while (true)
        {
            try
            {
                var first = await appending.WaitAsync(TimeSpan.FromSeconds(1), clock);
                health.Well($"journal {Name}");
                return first;
            }
            catch (TimeoutException)
            {
                // The disk filled up, or began to refuse, since the look a moment ago.
                if (Journal.FullReason is { } reason)
                    health.Unwell($"journal {Name}", $"{reason}. The broker keeps what comes until there is room.");
            }
        }
    }

    /// <summary>The readings that are not stored yet, noted as stored (so that a repeat within the group is one too); null when there are none.</summary>
    Arrival? NewOnly(Arrival arrival)
    {
        if (!Overlap(arrival.Runs) && !arrival.Runs.Exists(run => ledger.ContainsAny(run.First, run.Count)))
        {
            foreach (var (first, count) in arrival.Runs)
                ledger.Add(first, count);
            return arrival;
        }
        var payload = StoredPayload.Decode((byte[])[.. arrival.Header.Span, .. arrival.Body.Span]);
        var fresh = new List<int>();
        for (var i = 0; i < payload.Count; i++)
        {
            var identity = payload.Identity(i);
            if (ledger.ContainsAny(identity, 1))
                continue;
            ledger.Add(identity, 1);
            fresh.Add(i);
        }
        return fresh.Count switch
        {
            0 => null,
            _ when fresh.Count == payload.Count => arrival,
            _ => new Arrival(arrival.Header, payload.Select(fresh), fresh.Count, []),
        };
    }

    /// <summary>Whether a message names a reading twice.</summary>
    static bool Overlap(List<(ReadingIdentity First, ulong Count)> runs)
    {
        if (runs.Count == 1)
            return false;
        var seen = new Dictionary<(string, string), RangeSet>();
        foreach (var (first, count) in runs)
        {
            if (!first.IsComplete)
                continue;
            if (!seen.TryGetValue((first.DeviceId, first.BootId), out var ranges))
                seen[(first.DeviceId, first.BootId)] = ranges = new RangeSet();
            if (ranges.Overlaps(first.Sequence, first.Sequence + count - 1))
                return true;
            ranges.Add(first.Sequence, first.Sequence + count - 1);
        }
        return false;
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

    static async Task EnterJournalAsync(Ledger ledger, string name, DurableJournal journal)
    {
        using var entry = await ledger.EnterAsync(name);
        var from = ledger.Position(name, journal.Epoch) ?? journal.FirstOffset;
        using (var reader = journal.OpenReader(from))
        {
            while (reader.TryRead(out var record))
            {
                if (TryDecode(record.Payload) is { } payload)
                    ledger.Add(payload);
            }
        }
        ledger.SetPosition(name, journal.Epoch, journal.NextOffset);
        entry.Complete();
    }

    /// <summary>Null when it cannot be read.</summary>
    public static Payload? TryDecode(ReadOnlyMemory<byte> record)
    {
        try
        {
            return StoredPayload.Decode(record);
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
            if (TryDecode(record.Payload.ToArray()) is not { } payload)
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

    /// <summary>A message that could be read.</summary>
    sealed record Arrival(ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Body, int Count, List<(ReadingIdentity First, ulong Count)> Runs);

    [LoggerMessage(EventId = 130, Level = LogLevel.Warning, Message = "{Slot}: a message on {Topic} ({Bytes} bytes) cannot be read: {Reason}. It is kept with the dead letters")]
    partial void LogPoison(string slot, string topic, int bytes, string reason);

    [LoggerMessage(EventId = 134, Level = LogLevel.Error, Message = "{Slot}: {Reason} Nothing is taken in until it can be used; the broker keeps what comes")]
    partial void LogLedger(string slot, string reason);

    [LoggerMessage(EventId = 132, Level = LogLevel.Warning, Message = "{Slot} could not be emptied yet: {Reason}")]
    partial void LogNotEmptied(string slot, string reason);
}
