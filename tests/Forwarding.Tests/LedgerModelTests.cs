using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// Several replicas, in random order, with kills, I/O errors and power cuts: no reading is stored twice, none counts as stored that is not.
/// </summary>
public sealed class LedgerModelTests(ITestOutputHelper output) : IDisposable
{
    const int Devices = 4,
        Replicas = 3;

    readonly TempDirectory directory = new();
    readonly FakeJournals journals = new();
    readonly HashSet<(int Device, ulong Sequence)> stored = [];
    readonly FaultyDisk disk = new();
    Replica[] replicas = [];
    Random random = null!;
    byte[] durable = [];
    string context = "";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Agrees_with_a_model_whatever_replicas_do_and_wherever_they_die(bool withPowerCuts)
    {
        (random, var seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        replicas = [.. Enumerable.Range(0, Replicas).Select(number => new Replica($"slot-{number}"))];
        foreach (var replica in replicas)
            Start(replica);
        for (var step = 0; step < 3000; step++)
        {
            context = $"seed {seed}, step {step}";
            var replica = replicas[random.Next(Replicas)];
            switch (random.Next(60))
            {
                case 0:
                    Kill(replica);
                    Start(replica);
                    break;
                case 1 when withPowerCuts:
                    CutPower();
                    break;
                case 2:
                    await EnterAsync(replica);
                    Flush(replica);
                    break;
                case < 9:
                    disk.Schedule(random.Next(1, 8));
                    break;
                default:
                    await StepAsync(replica);
                    break;
            }
        }
        disk.Schedule(0);
        foreach (var replica in replicas)
            replica.Ledger.Dispose();
    }

    public void Dispose() => directory.Dispose();

    /// <summary>One group of messages, as far as it gets.</summary>
    async Task StepAsync(Replica replica)
    {
        await EnterAsync(replica);
        if (replica.Claimed is { } open)
        {
            // It was appended, or is now.
            if (!replica.IsAppended)
                Append(replica, open);
            if (random.Next(8) > 0)
                await ConfirmAsync(replica);
            return;
        }
        var (device, first, count) = (random.Next(Devices), (ulong)random.Next(1, 400), random.Next(1, 20));
        var payload = Samples.Payload($"pi-{device}", "boot", first, count);
        var fresh = new List<int>();
        var isClaimed = await InLedgerAsync(
            replica,
            entry =>
            {
                fresh.Clear();
                if (replica.Ledger.FindOtherClaim(replica.Slot, ReadingRuns.Of(payload)) is not null)
                    return false;
                for (var i = 0; i < count; i++)
                {
                    var isStored = replica.Ledger.ContainsAny(payload.Identity(i), 1);
                    Assert.True(
                        stored.Contains((device, first + (ulong)i)) == isStored,
                        $"{context}: {device}/{first + (ulong)i} stored: {!isStored}, in the ledger: {isStored}"
                    );
                    if (!isStored)
                        fresh.Add(i);
                }
                if (fresh.Count == 0)
                    return false;
                var claim = replica.Ledger.Claim(replica.Slot, "epoch", journals.EndOf(replica.Slot));
                foreach (var index in fresh)
                    replica.Ledger.AddToClaim(claim, payload.Identity(index), 1);
                entry.Complete(claim);
                return true;
            }
        );
        if (!isClaimed)
            return;
        replica.Claimed = (device, [.. fresh.Select(index => first + (ulong)index)]);
        if (random.Next(8) > 0)
            Append(replica, replica.Claimed.Value);
        if (replica.IsAppended && random.Next(8) > 0)
            await ConfirmAsync(replica);
    }

    void Append(Replica replica, (int Device, List<ulong> Sequences) claimed)
    {
        foreach (var sequence in claimed.Sequences)
        {
            Assert.True(stored.Add((claimed.Device, sequence)), $"{context}: {claimed.Device}/{sequence} is stored twice");
            journals.Append(replica.Slot, Samples.Payload($"pi-{claimed.Device}", "boot", sequence, 1));
        }
        replica.IsAppended = true;
    }

    async Task ConfirmAsync(Replica replica)
    {
        await InLedgerAsync(
            replica,
            entry =>
            {
                if (!replica.Ledger.Confirm(replica.Slot, journals.EndOf(replica.Slot)))
                    Enter(replica);
                entry.Complete();
                return true;
            }
        );
        (replica.Claimed, replica.IsAppended) = (null, false);
    }

    /// <summary>Enters its own journal, once after each start.</summary>
    async Task EnterAsync(Replica replica)
    {
        if (replica.IsEntered)
            return;
        await InLedgerAsync(
            replica,
            entry =>
            {
                Enter(replica);
                entry.Complete();
                return true;
            }
        );
        replica.IsEntered = true;
    }

    void Enter(Replica replica) =>
        replica.Ledger.IndexJournal(
            replica.Slot,
            "epoch",
            from => journals.Read(replica.Slot, "epoch", from).Select(record => record.Payload),
            journals.EndOf(replica.Slot)
        );

    async Task<T> InLedgerAsync<T>(Replica replica, Func<LedgerSession, T> act)
    {
        while (true)
        {
            try
            {
                using var entry = await replica.Ledger.LockAsync(replica.Slot, CancellationToken.None);
                return act(entry);
            }
            catch (IOException e) when (e is not LedgerHeldException)
            {
                // An error is never damage, and the next attempt has none.
                Assert.False(Directory.Exists(directory.File("quarantine")), context);
            }
        }
    }

    void Flush(Replica replica)
    {
        try
        {
            replica.Ledger.Flush();
            durable = File.ReadAllBytes(directory.File("ledger"));
        }
        catch (IOException)
        {
            // Nothing more is durable than before.
        }
    }

    void Start(Replica replica)
    {
        journals.Create(replica.Slot);
        journals.Owned.Add(replica.Slot);
        replica.Ledger = new Ledger(directory.Path, journals, TimeProvider.System, NullLogger.Instance, disk);
        (replica.Claimed, replica.IsAppended, replica.IsEntered) = (null, false, false);
    }

    void Kill(Replica replica)
    {
        replica.Ledger.Dispose();
        journals.Owned.Remove(replica.Slot);
    }

    /// <summary>
    /// All stop; of the ledger's file something between what was fsynced and what was written is left. The journals are fsynced.
    /// </summary>
    void CutPower()
    {
        foreach (var replica in replicas)
            Kill(replica);
        var path = directory.File("ledger");
        var written = File.Exists(path) ? File.ReadAllBytes(path) : [];
        // A file that was replaced was durable before it took its name.
        var isReplaced = written.Length < durable.Length || !written.AsSpan(0, durable.Length).SequenceEqual(durable);
        var kept = isReplaced ? written.Length : random.Next(durable.Length, written.Length + 1);
        File.WriteAllBytes(path, written[..kept]);
        if (random.Next(2) == 0)
            File.Delete(directory.File("ledger.lock"));
        foreach (var replica in replicas.OrderBy(_ => random.Next()))
            Start(replica);
    }

    sealed class Replica(string slot)
    {
        public string Slot { get; } = slot;

        public Ledger Ledger { get; set; } = null!;

        public (int Device, List<ulong> Sequences)? Claimed { get; set; }

        public bool IsAppended { get; set; }

        public bool IsEntered { get; set; }
    }
}
