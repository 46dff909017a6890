using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Stores what a slot receives, each reading once: claims the new ones in the ledger, appends them to the slot's journal, confirms.
/// For one caller at a time, except <see cref="MayReclaim"/>.
/// </summary>
sealed partial class ReadingStore
{
    const string LedgerPart = "ledger";

    static readonly TimeSpan ClaimPause = TimeSpan.FromMilliseconds(20),
        ClaimPatience = TimeSpan.FromSeconds(2);

    readonly string slot;
    readonly DurableJournal journal;
    readonly Ledger ledger;
    readonly SenderNotes senders;
    readonly Health health;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Persistently untilLedgerWorks;
    readonly string intakePart;

    readonly List<JournalRecord> records = [];
    readonly List<Arrival?> claimed = [];
    readonly List<ReadingIdentity> others = [];
    long? unconfirmed;
    bool isReplayClaim;
    long claimedFrom = long.MaxValue;
    volatile bool isIndexed;

    /// <param name="slot">Name of the slot.</param>
    /// <param name="journal">Its journal.</param>
    /// <param name="ledger">Which readings are stored.</param>
    /// <param name="senders">Notes senders that use a number twice.</param>
    /// <param name="health">Gets the state of the ledger, and of the slot's intake and journal.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">For a ledger that cannot be used.</param>
    public ReadingStore(
        string slot,
        DurableJournal journal,
        Ledger ledger,
        SenderNotes senders,
        Health health,
        TimeProvider clock,
        ILogger logger
    )
    {
        this.slot = slot;
        this.journal = journal;
        this.ledger = ledger;
        this.senders = senders;
        this.health = health;
        this.clock = clock;
        this.logger = logger;
        intakePart = $"intake {slot}";
        Room = new JournalRoom(slot, journal, health, clock);
        untilLedgerWorks = new Persistently(LedgerPart, health, clock)
        {
            Explain = e => e.Message,
            OnRefused = reason => LogLedger(slot, reason),
            IsAlwaysListed = true,
        };
    }

    /// <summary>Name of the slot.</summary>
    public string Slot => slot;

    /// <summary>Waits for room in the journal. Other slots wait for readings that are claimed, so find room before claiming.</summary>
    public JournalRoom Room { get; }

    /// <summary>
    /// Whether delivered segments may be deleted: only once the ledger has their readings, durably. Called by the journal, with its lock
    /// held.
    /// </summary>
    /// <exception cref="IOException">The ledger cannot be made durable now.</exception>
    public bool MayReclaim()
    {
        if (!isIndexed || journal.CommittedOffset > Interlocked.Read(ref claimedFrom))
            return false;
        ledger.Flush();
        return true;
    }

    /// <summary>Enters the journal's readings into the ledger before anything is stored. Waits as long as the ledger cannot be
    /// used.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop first.</exception>
    public async Task IndexJournalAsync(CancellationToken cancellationToken)
    {
        health.Unwell(LedgerPart, "The journals are being read to complete the ledger; no message is accepted until then.");
        await InLedgerAsync(
            session =>
            {
                ledger.IndexJournal(slot, journal.Epoch, ReadPayloads, journal.NextOffset);
                session.Complete();
                return true;
            },
            cancellationToken
        );
        isIndexed = true;
    }

    /// <summary>Stores the readings that are new.</summary>
    /// <returns>How many readings were new. All others are also stored when this returns.</returns>
    /// <exception cref="OperationCanceledException">Asked to stop before anything was stored.</exception>
    public async Task<int> StoreAsync(IReadOnlyList<Arrival> arrivals, CancellationToken cancellationToken)
    {
        await ConfirmAsync(cancellationToken);
        var readings = await ClaimNewAsync(arrivals, cancellationToken);
        claimed.Clear();
        if (readings == 0)
            return 0;
        unconfirmed = await AppendAsync(cancellationToken) + readings;
        return readings;
    }

    /// <summary>
    /// Claims readings that the caller appends to the journal itself. <see cref="ConfirmAsync"/> ends the claim, however much was appended.
    /// </summary>
    /// <returns>For each arrival the part that is not stored yet; null where nothing is new.</returns>
    /// <exception cref="OperationCanceledException">Asked to stop first.</exception>
    public async Task<IReadOnlyList<Arrival?>> ClaimAsync(IReadOnlyList<Arrival?> arrivals, CancellationToken cancellationToken)
    {
        await ConfirmAsync(cancellationToken);
        isReplayClaim = true;
        await ClaimNewAsync([.. arrivals.OfType<Arrival>()], cancellationToken);
        var next = 0;
        return [.. arrivals.Select(arrival => arrival is null ? null : claimed[next++])];
    }

    /// <summary>
    /// Notes in the ledger that the readings which <see cref="StoreAsync"/> claimed are stored. Until then other slots that receive the
    /// same readings wait. The messages may be acknowledged before that: if this process dies, another process finds the readings in the
    /// journal and ends the claim.
    /// </summary>
    /// <exception cref="OperationCanceledException">Asked to stop while the ledger could not be used.</exception>
    public async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        if ((isReplayClaim ? journal.NextOffset : unconfirmed) is not { } offset)
            return;
        await InLedgerAsync(
            session =>
            {
                // After a replay's claim, only the journal knows which readings were stored.
                if (isReplayClaim || !ledger.Confirm(slot, offset))
                    ledger.IndexJournal(slot, journal.Epoch, ReadPayloads, offset);
                session.Complete();
                return true;
            },
            cancellationToken
        );
        (unconfirmed, isReplayClaim) = (null, false);
        Interlocked.Exchange(ref claimedFrom, long.MaxValue);
    }

    /// <summary>
    /// Removes a slot that is being retired from the ledger, and makes the ledger durable, because the journal that could repeat its
    /// entries is deleted.
    /// </summary>
    /// <exception cref="OperationCanceledException">Asked to stop first.</exception>
    public async Task ForgetSlotAsync(CancellationToken cancellationToken)
    {
        await InLedgerAsync(
            session =>
            {
                ledger.Forget(slot);
                session.Complete();
                return true;
            },
            cancellationToken
        );
        await untilLedgerWorks.DoAsync(ledger.Flush, cancellationToken);
    }

    /// <summary>Removes the slot's intake and journal from health.</summary>
    public void Close()
    {
        health.Forget(intakePart);
        Room.Close();
    }

    async Task<int> ClaimNewAsync(IReadOnlyList<Arrival> arrivals, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var isReported = false;
        while (true)
        {
            var (other, readings) = await InLedgerAsync(session => TryClaim(session, arrivals), cancellationToken);
            if (other is null)
            {
                senders.LookAtRestarts(others);
                health.Forget(intakePart);
                return readings;
            }
            if (clock.GetElapsedTime(started) >= ClaimPatience)
            {
                var problem =
                    $"{other.Slot} ({other.Owner}) began to store readings that have arrived at {slot} again and has not finished, so "
                    + "it is not known whether they are stored. If that process is frozen or paused, resume it or end it; this slot "
                    + "then continues by itself.";
                health.Unwell(intakePart, problem);
                if (!isReported)
                    LogWaiting(slot, problem);
                isReported = true;
            }
            await Task.Delay(ClaimPause, clock, cancellationToken);
        }
    }

    (LedgerClaim? Other, int Readings) TryClaim(LedgerSession session, IReadOnlyList<Arrival> arrivals)
    {
        records.Clear();
        claimed.Clear();
        others.Clear();
        if (ledger.FindOtherClaim(slot, arrivals.SelectMany(arrival => arrival.Runs)) is { } other)
            return (other, 0);
        LedgerClaim? claim = null;
        var readings = 0;
        foreach (var arrival in arrivals)
        {
            var fresh = NewOnly(arrival, ref claim);
            claimed.Add(fresh);
            if (fresh is null)
                continue;
            records.Add(fresh.ToRecord());
            readings += fresh.Count;
        }
        if (claim is not null)
        {
            // Before others see the claim: claimed readings must not be deleted before they are confirmed.
            Interlocked.Exchange(ref claimedFrom, claim.From);
            session.Complete(claim);
        }
        return (null, readings);
    }

    /// <summary>
    /// Claims the readings that are not stored yet, so that a repeat within the group is recognised too. Null when there are none.
    /// </summary>
    Arrival? NewOnly(Arrival arrival, ref LedgerClaim? claim)
    {
        if (!ReadingRuns.Overlap(arrival.Runs) && !IsAnyStored(arrival.Runs))
        {
            claim ??= ledger.Claim(slot, journal.Epoch, journal.NextOffset);
            var at = 0;
            foreach (var (first, count) in arrival.Runs)
            {
                ledger.AddToClaim(claim, first, count, arrival.Fingerprints.AsSpan(at, (int)count));
                at += (int)count;
            }
            return arrival;
        }
        // Decoded again instead of kept from intake: decoded, the messages of a group may take a hundred times the memory of their text.
        var payload = StoredPayload.Decode((byte[])[.. arrival.Header.Span, .. arrival.Body.Span]);
        var fresh = new List<int>();
        for (var i = 0; i < payload.Count; i++)
        {
            var identity = payload.Identity(i);
            if (ledger.ContainsAny(identity, 1))
            {
                if (ledger.IsAnother(identity, arrival.Fingerprints[i]))
                    others.Add(identity);
                continue;
            }
            claim ??= ledger.Claim(slot, journal.Epoch, journal.NextOffset);
            ledger.AddToClaim(claim, identity, 1, arrival.Fingerprints.AsSpan(i, 1));
            fresh.Add(i);
        }
        return fresh.Count switch
        {
            0 => null,
            _ when fresh.Count == payload.Count => arrival,
            _ => new Arrival(arrival.Header, payload.Select(fresh), fresh.Count, [], []),
        };
    }

    bool IsAnyStored((ReadingIdentity First, ulong Count)[] runs)
    {
        foreach (var (first, count) in runs)
        {
            if (ledger.ContainsAny(first, count))
                return true;
        }
        return false;
    }

    /// <exception cref="OperationCanceledException">
    /// Asked to stop while the disk refused the readings. They are not acknowledged, so the broker sends them again.
    /// </exception>
    async Task<long> AppendAsync(CancellationToken stop)
    {
        // Not the stopping token: if the disk works, what was received is stored.
        var appending = journal.AppendAsync(records, CancellationToken.None).AsTask();
        while (true)
        {
            try
            {
                var first = await appending.WaitAsync(TimeSpan.FromSeconds(1), clock, CancellationToken.None);
                Room.ReportWell();
                return first;
            }
            catch (TimeoutException)
            {
                // The disk filled up, or began to refuse, after WhyNoRoomFor found room.
                if (journal.FullReason is not { } reason)
                    continue;
                Room.ReportFull(reason);
                stop.ThrowIfCancellationRequested();
            }
        }
    }

    IEnumerable<Payload?> ReadPayloads(long from)
    {
        using var reader = journal.OpenReader(from);
        while (reader.TryRead(out var record))
            yield return JournalPayload.TryDecode(record.Payload);
    }

    /// <summary>Acts with the ledger's lock held. Waits as long as the ledger cannot be used: nothing is acknowledged meanwhile.</summary>
    Task<T> InLedgerAsync<T>(Func<LedgerSession, T> act, CancellationToken cancellationToken) =>
        untilLedgerWorks.DoAsync(
            async () =>
            {
                using var session = await ledger.LockAsync(slot, cancellationToken);
                return act(session);
            },
            cancellationToken
        );

    [LoggerMessage(
        EventId = 134,
        Level = LogLevel.Error,
        Message = "{Slot}: {Reason} No message is accepted until then; the broker keeps new messages"
    )]
    partial void LogLedger(string slot, string reason);

    [LoggerMessage(EventId = 133, Level = LogLevel.Warning, Message = "{Slot} waits: {Reason}")]
    partial void LogWaiting(string slot, string reason);
}
