using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;
using Xunit.Abstractions;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class LedgerTests(ITestOutputHelper output) : IDisposable
{
    readonly TempDirectory directory = new();
    readonly Dictionary<string, List<(Payload Payload, long EndOffset)>> journals = [];

    [Fact]
    public async Task Knows_what_another_replica_stored()
    {
        using var one = Open();
        using var other = Open();

        await StoreAsync(one, "slot-0", "pi", 1, 10);

        Assert.True(await ContainsAsync(other, "pi", 10));
        Assert.False(await ContainsAsync(other, "pi", 11));
    }

    [Fact]
    public async Task Remembers_across_a_restart()
    {
        using (var before = Open())
            await StoreAsync(before, "slot-0", "pi", 1, 1000);

        using var after = Open();

        Assert.True(await ContainsAsync(after, "pi", 1000));
        Assert.False(await ContainsAsync(after, "pi", 1001));
        Assert.False(await ContainsAsync(after, "other", 1));
    }

    [Fact]
    public async Task Excludes_a_second_replica_until_the_first_is_done()
    {
        using var one = Open();
        using var other = Open();
        var entry = await one.EnterAsync("slot-0");

        var second = other.EnterAsync("slot-1").AsTask();
        Assert.False(second.IsCompleted);
        one.Add(Samples.Identity("pi", "boot", 1), 5);
        entry.Complete();
        entry.Dispose();
        using var _ = await second.WaitAsync(TimeSpan.FromSeconds(10));

        Assert.True(other.ContainsAny(Samples.Identity("pi", "boot", 5), 1));
    }

    [Fact]
    public async Task Enters_what_a_replica_stored_before_it_died()
    {
        var dying = Open();
        await StoreAsync(dying, "slot-0", "pi", 1, 10);
        await dying.EnterAsync("slot-0");
        // It stored 11 to 20 and was killed before it could say so: its lock goes, its name stays.
        journals["slot-0"].Add((Samples.Payload("pi", "boot", 11, 10), 20));
        dying.Dispose();

        using var survivor = Open();

        Assert.True(await ContainsAsync(survivor, "pi", 20));
        Assert.False(await ContainsAsync(survivor, "pi", 21));
    }

    [Fact]
    public async Task Forgets_what_was_noted_when_the_store_failed()
    {
        using var ledger = Open();
        await StoreAsync(ledger, "slot-0", "pi", 1, 10);
        using (await ledger.EnterAsync("slot-0"))
            ledger.Add(Samples.Identity("pi", "boot", 11), 10);

        Assert.True(await ContainsAsync(ledger, "pi", 10));
        Assert.False(await ContainsAsync(ledger, "pi", 11));
    }

    [Fact]
    public async Task Cuts_a_torn_tail_at_every_byte_and_says_from_where_the_journals_must_be_read()
    {
        using (var ledger = Open())
        {
            for (var i = 0; i < 5; i++)
                await StoreAsync(ledger, "slot-0", "pi", (ulong)(i * 10 + 1), 10);
        }
        var whole = File.ReadAllBytes(directory.File("ledger"));
        var positions = new HashSet<long?>();
        for (var length = whole.Length; length >= 0; length--)
        {
            File.WriteAllBytes(directory.File("ledger"), whole[..length]);
            using var ledger = Open();
            using var entry = await ledger.EnterAsync("slot-1");
            var position = ledger.Position("slot-0", "epoch");
            positions.Add(position);

            // Whatever the position covers is known: the rest is what the journal is read again for.
            for (ulong sequence = 1; sequence <= (ulong)(position ?? 0); sequence++)
                Assert.True(ledger.ContainsAny(Samples.Identity("pi", "boot", sequence), 1), $"cut at {length}: {sequence} of {position}");
            entry.Complete();
        }
        Assert.Equal([50, 40, 30, 20, 10, null], positions);
    }

    [Fact]
    public async Task Stays_small_and_exact_when_it_is_written_anew()
    {
        using var ledger = Open();
        using var reader = Open();
        // Each boot leaves a definition and many entries; the file passes its threshold several times.
        for (var boot = 0; boot < 30; boot++)
        {
            using (var entry = await ledger.EnterAsync("slot-0"))
            {
                for (ulong first = 1; first < 20_000; first += 2)
                    ledger.Add(new ReadingIdentity("pi", $"boot-{boot}", ReadingKind.Thermal, first / 2 + 1), 1);
                ledger.SetPosition("slot-0", "epoch", boot);
                entry.Complete();
            }
            if (boot % 7 == 0)
                Assert.True(await ContainsAsync(reader, "pi", 10_000, $"boot-{boot}"));
        }

        Assert.InRange(new FileInfo(directory.File("ledger")).Length, 1, 3 << 20);
        using var after = Open();
        for (var boot = 0; boot < 30; boot++)
        {
            Assert.True(await ContainsAsync(after, "pi", 10_000, $"boot-{boot}"));
            Assert.True(await ContainsAsync(reader, "pi", 10_000, $"boot-{boot}"));
            Assert.False(await ContainsAsync(after, "pi", 10_001, $"boot-{boot}"));
        }
        using var check = await after.EnterAsync("slot-9");
        Assert.Equal(29, after.Position("slot-0", "epoch"));
        check.Complete();
    }

    [Fact]
    public async Task Is_bounded_by_forgetting_streams_that_are_silent()
    {
        using var ledger = Open();
        using (var entry = await ledger.EnterAsync("slot-0"))
        {
            for (var device = 0; device < 100; device++)
            {
                for (ulong sequence = 1; sequence <= 2 * 4000; sequence += 2)
                    ledger.Add(new ReadingIdentity($"pi-{device}", "boot", ReadingKind.Thermal, sequence), 1);
            }
            entry.Complete();
        }

        Assert.InRange(ledger.RangeCount, 1, 262_144);
        Assert.True(await ContainsAsync(ledger, "pi-99", 1));
        Assert.False(await ContainsAsync(ledger, "pi-0", 1));
    }

    [Fact]
    public async Task Agrees_with_a_model_whatever_replicas_do_and_wherever_they_die()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        var model = new HashSet<(int Device, ulong Sequence)>();
        var ledgers = new Ledger[3];
        for (var i = 0; i < ledgers.Length; i++)
        {
            ledgers[i] = Open();
            await StoreAsync(ledgers[i], $"slot-{i}", $"start-{i}", 1, 1);
        }
        for (var step = 0; step < 3000; step++)
        {
            var at = random.Next(ledgers.Length);
            var slot = $"slot-{at}";
            var device = random.Next(4);
            var first = (ulong)random.Next(1, 400);
            var count = random.Next(1, 20);
            var payload = Samples.Payload($"pi-{device}", "boot", first, count);
            var entry = await ledgers[at].EnterAsync(slot);
            for (var i = 0; i < count; i++)
                Assert.True(model.Contains((device, first + (ulong)i)) == ledgers[at].ContainsAny(payload.Identity(i), 1), $"seed {seed}, step {step}");
            ledgers[at].Add(payload.Identity(0), (ulong)count);
            var fate = random.Next(20);
            if (fate == 0)
            {
                // Killed before the journal had it.
                ledgers[at].Dispose();
                ledgers[at] = Open();
                continue;
            }
            var end = journals[slot][^1].EndOffset + count;
            journals[slot].Add((payload, end));
            for (var i = 0; i < count; i++)
                model.Add((device, first + (ulong)i));
            if (fate == 1)
            {
                // Killed after the journal had it and before the ledger did.
                ledgers[at].Dispose();
                ledgers[at] = Open();
                continue;
            }
            ledgers[at].SetPosition(slot, "epoch", end);
            entry.Complete();
            entry.Dispose();
        }
        foreach (var ledger in ledgers)
            ledger.Dispose();
    }

    public void Dispose() => directory.Dispose();

    Ledger Open() => new(directory.Path, (slot, _, from) => journals[slot].Where(record => record.EndOffset > from), NullLogger.Instance);

    async Task StoreAsync(Ledger ledger, string slot, string device, ulong first, int count)
    {
        using var entry = await ledger.EnterAsync(slot);
        var payload = Samples.Payload(device, "boot", first, count);
        var journal = journals.TryGetValue(slot, out var records) ? records : journals[slot] = [];
        var end = journal.Sum(record => (long)record.Payload.Count) + count;
        journal.Add((payload, end));
        ledger.Add(payload.Identity(0), (ulong)count);
        ledger.SetPosition(slot, "epoch", end);
        entry.Complete();
    }

    static async Task<bool> ContainsAsync(Ledger ledger, string device, ulong sequence, string boot = "boot")
    {
        using var entry = await ledger.EnterAsync("slot-9");
        var contains = ledger.ContainsAny(Samples.Identity(device, boot, sequence), 1);
        entry.Complete();
        return contains;
    }
}
