using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class LedgerTests(ITestOutputHelper output) : IDisposable
{
    readonly TempDirectory directory = new();
    readonly FakeJournals journals = new();

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
        var entry = await one.LockAsync("slot-0", CancellationToken.None);

        var second = other.LockAsync("slot-1", CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        one.Add(Samples.Identity("pi", "boot", 1), 5);
        entry.Complete();
        entry.Dispose();
        using var _ = await second.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.True(other.ContainsAny(Samples.Identity("pi", "boot", 5), 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ends_the_claim_of_a_replica_that_died_by_what_its_journal_holds(bool isSurvivorNew)
    {
        using var early = Open();
        await StoreAsync(early, "slot-1", "other", 1, 1);
        var dying = Open();
        await StoreAsync(dying, "slot-0", "pi", 1, 10);
        await ClaimAsync(dying, "slot-0", "pi", 11, 20);
        // It stored 11 to 20 and was killed before it stored 21 to 30, or could say so.
        journals.Append("slot-0", Samples.Payload("pi", "boot", 11, 10));
        journals.Owned.Remove("slot-0");
        dying.Dispose();

        using var late = Open();
        var survivor = isSurvivorNew ? late : early;

        Assert.Null(await FindOtherClaimAsync(survivor, "pi", 25));
        Assert.True(await ContainsAsync(survivor, "pi", 20));
        Assert.False(await ContainsAsync(survivor, "pi", 21));
        Assert.Contains("slot-0", journals.Flushed);
    }

    [Fact]
    public async Task What_a_living_replica_has_claimed_is_neither_new_nor_stored_until_it_says_so()
    {
        using var storing = Open();
        using var other = Open();
        await ClaimAsync(storing, "slot-0", "pi", 1, 10);

        var claim = await FindOtherClaimAsync(other, "pi", 10);

        Assert.Equal(("slot-0", LedgerNote.ThisProcess), (claim?.Slot, claim?.Owner));
        Assert.Null(await FindOtherClaimAsync(other, "pi", 11));
        // Nobody waits for the one that stores, except with the same readings.
        await StoreAsync(other, "slot-1", "pi", 11, 5);
        journals.Append("slot-0", Samples.Payload("pi", "boot", 1, 10));
        await ConfirmAsync(storing, "slot-0");
        Assert.Null(await FindOtherClaimAsync(other, "pi", 10));
        Assert.True(await ContainsAsync(other, "pi", 10));
        Assert.True(await ContainsAsync(storing, "pi", 15));
    }

    [Fact]
    public async Task A_lock_that_is_not_given_back_is_reported_with_its_holder_and_does_not_hold_up_a_stop()
    {
        using var frozen = Open();
        using var other = Open();
        using var entry = await frozen.LockAsync("slot-0", CancellationToken.None);

        var problem = await Assert
            .ThrowsAsync<LedgerHeldException>(async () => await other.LockAsync("slot-1", CancellationToken.None))
            .WaitAsync(TimeSpan.FromSeconds(30));
        using var stop = new CancellationTokenSource();
        var waiting = other.LockAsync("slot-1", stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.StartsWith(
            $"The ledger {directory.File("ledger")} has been held by slot-0 (process {Environment.ProcessId} on host "
                + $"{Environment.MachineName}) since ",
            problem.Message,
            StringComparison.Ordinal
        );
        entry.Complete();
    }

    [Fact]
    public async Task Forgets_what_was_noted_when_the_store_failed()
    {
        using var ledger = Open();
        await StoreAsync(ledger, "slot-0", "pi", 1, 10);
        using (await ledger.LockAsync("slot-0", CancellationToken.None))
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
        journals.Clear();
        var whole = File.ReadAllBytes(directory.File("ledger"));
        var positions = new HashSet<long?>();
        for (var length = whole.Length; length >= 0; length--)
        {
            File.WriteAllBytes(directory.File("ledger"), whole[..length]);
            using var ledger = Open();
            using var entry = await ledger.LockAsync("slot-1", CancellationToken.None);
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
    public async Task Reads_what_every_release_has_written()
    {
        // Generation 7. Stream 0: thermal, "pi", "boot"; its 1 to 10 and 300; slot-0 of epoch "epoch" is complete up to 10.
        File.WriteAllBytes(
            directory.File("ledger"),
            Convert.FromHexString(
                "5448524D4C444752"
                    + "070000000000000014000000C1637F76"
                    + "01000102706904626F6F740200010A0200AC0201"
                    + "0F0000002815EC200306736C6F742D30"
                    + "0565706F63680A"
            )
        );
        using var ledger = Open();

        using (await ledger.LockAsync("slot-1", CancellationToken.None))
        {
            Assert.True(ledger.ContainsAny(Samples.Identity("pi", "boot", 1), 1));
            Assert.True(ledger.ContainsAny(Samples.Identity("pi", "boot", 10), 1));
            Assert.False(ledger.ContainsAny(Samples.Identity("pi", "boot", 11), 289));
            Assert.True(ledger.ContainsAny(Samples.Identity("pi", "boot", 300), 1));
            Assert.Equal(10, ledger.Position("slot-0", "epoch"));
        }
        Assert.False(Directory.Exists(directory.File("quarantine")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_byte_costs_no_more_than_its_group_and_nothing_that_a_journal_can_repeat(bool journalsHoldAll)
    {
        // Each device is defined in a group of its own, so that one group holds all that is known of it.
        using (var ledger = Open())
        {
            for (var device = 0; device < 6; device++)
                await StoreAsync(ledger, "slot-0", $"pi-{device}", 1, 10);
        }
        var whole = File.ReadAllBytes(directory.File("ledger"));
        if (!journalsHoldAll)
            journals.Clear();
        for (var at = 0; at < whole.Length; at++)
        {
            foreach (var changed in (byte[])[(byte)(whole[at] ^ 0x01), (byte)(whole[at] ^ 0xFF)])
            {
                byte[] damaged = [.. whole[..at], changed, .. whole[(at + 1)..]];
                File.WriteAllBytes(directory.File("ledger"), damaged);
                for (var start = 0; start < 2; start++)
                {
                    using var ledger = Open();
                    using var entry = await ledger.LockAsync("slot-1", CancellationToken.None);
                    var forgotten = Enumerable
                        .Range(0, 6)
                        .Where(device =>
                            !ledger.ContainsAny(Samples.Identity($"pi-{device}", "boot", 1), 1)
                            || !ledger.ContainsAny(Samples.Identity($"pi-{device}", "boot", 10), 1)
                        )
                        .ToList();
                    // The end is taken for torn: the journals repeat what the position does not cover.
                    var isEnd = forgotten is [5] && !journalsHoldAll && ledger.Position("slot-0", "epoch") == 50;
                    Assert.True(
                        forgotten.Count == 0 || (forgotten.Count == 1 && !journalsHoldAll) || isEnd,
                        $"byte {at} made {changed:x2}: forgot {string.Join(", ", forgotten)}"
                    );
                    for (var device = 0; device < 6; device++)
                        Assert.False(ledger.ContainsAny(Samples.Identity($"pi-{device}", "boot", 11), 1000));
                    entry.Complete();
                }
                if (Directory.Exists(directory.File("quarantine")))
                {
                    Assert.Equal(damaged, File.ReadAllBytes(Assert.Single(Directory.GetFiles(directory.File("quarantine")))));
                    Directory.Delete(directory.File("quarantine"), recursive: true);
                }
            }
        }
    }

    [Fact]
    public async Task Bytes_at_random_are_survived()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        using (var ledger = Open())
        {
            for (var i = 0; i < 20; i++)
                await StoreAsync(ledger, "slot-0", $"pi-{i % 3}", (ulong)(i * 10 + 1), 10);
        }
        var whole = File.ReadAllBytes(directory.File("ledger"));
        for (var round = 0; round < 300; round++)
        {
            var damaged = whole.ToArray();
            for (var wounds = random.Next(1, 4); wounds > 0; wounds--)
            {
                var from = random.Next(damaged.Length);
                var wound = damaged.AsSpan(from, random.Next(1, damaged.Length - from + 1));
                if (random.Next(2) == 0)
                    wound.Clear();
                else
                    random.NextBytes(wound);
            }
            File.WriteAllBytes(directory.File("ledger"), damaged);
            using (var ledger = Open())
                await StoreAsync(ledger, "slot-1", "pi-9", (ulong)round + 1, 1);

            using var again = Open();
            Assert.True(await ContainsAsync(again, "pi-9", (ulong)round + 1), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public async Task A_replica_that_runs_while_another_repairs_goes_on()
    {
        using var running = Open();
        await StoreAsync(running, "slot-0", "pi", 1, 10);
        await StoreAsync(running, "slot-0", "pi", 11, 10);
        var bytes = File.ReadAllBytes(directory.File("ledger"));
        bytes[30] ^= 1;
        File.WriteAllBytes(directory.File("ledger"), bytes);

        using var repairing = Open();
        Assert.True(await ContainsAsync(repairing, "pi", 10));
        await StoreAsync(running, "slot-0", "pi", 21, 10);

        foreach (var ledger in new[] { running, repairing })
        {
            Assert.True(await ContainsAsync(ledger, "pi", 1));
            Assert.True(await ContainsAsync(ledger, "pi", 20));
            Assert.True(await ContainsAsync(ledger, "pi", 30));
            Assert.False(await ContainsAsync(ledger, "pi", 31));
        }
    }

    [Fact]
    public async Task Says_what_is_wrong_with_a_file_it_cannot_use()
    {
        Directory.CreateDirectory(directory.File("ledger"));
        using var ledger = Open();

        var problem = await Assert.ThrowsAsync<IOException>(async () => await ledger.LockAsync("slot-0", CancellationToken.None));

        Assert.StartsWith($"The ledger {directory.File("ledger")} cannot be used: ", problem.Message, StringComparison.Ordinal);
        Assert.Contains($"must be readable and writable for user {Environment.UserName}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_file_of_a_later_version_and_leaves_it_alone()
    {
        byte[] later = [9, 1, 2, 3];
        byte[] content = [.. "THRMLDGR"u8, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, .. BitConverter.GetBytes(Crc32C.Compute(later)), .. later];
        File.WriteAllBytes(directory.File("ledger"), content);
        using var ledger = Open();

        var problem = await Assert.ThrowsAsync<IOException>(async () => await ledger.LockAsync("slot-0", CancellationToken.None));

        Assert.Contains("use the release that wrote it", problem.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllBytes(directory.File("ledger")));
    }

    [Fact]
    public async Task An_entry_that_cannot_be_is_left_out_and_the_rest_counts()
    {
        // Readings 2^64-1 and 0 of stream 0, as an earlier version entered them, none at all, then 1 to 10.
        byte[] entries =
        [
            1,
            0,
            1,
            2,
            .. "pi"u8,
            4,
            .. "boot"u8,
            2,
            0,
            255,
            255,
            255,
            255,
            255,
            255,
            255,
            255,
            255,
            1,
            2,
            2,
            0,
            5,
            0,
            2,
            0,
            1,
            10,
        ];
        File.WriteAllBytes(
            directory.File("ledger"),
            [
                .. "THRMLDGR"u8,
                1,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                .. BitConverter.GetBytes(entries.Length),
                .. BitConverter.GetBytes(Crc32C.Compute(entries)),
                .. entries,
            ]
        );
        using var ledger = Open();

        Assert.True(await ContainsAsync(ledger, "pi", 10));
        Assert.False(await ContainsAsync(ledger, "pi", ulong.MaxValue));
        Assert.False(Directory.Exists(directory.File("quarantine")));
    }

    [Fact]
    public async Task Knows_the_highest_number_there_is_and_takes_none_beyond_it()
    {
        using (var before = Open())
        {
            using var entry = await before.LockAsync("slot-0", CancellationToken.None);
            before.Add(Samples.Identity("pi", "boot", ulong.MaxValue - 4), 5);
            before.Add(Samples.Identity("pi", "boot", ulong.MaxValue - 2), 1);
            Assert.Throws<ArgumentOutOfRangeException>(() => before.Add(Samples.Identity("pi", "boot", ulong.MaxValue), 2));
            entry.Complete();
        }

        using var after = Open();

        Assert.True(await ContainsAsync(after, "pi", ulong.MaxValue));
        Assert.True(await ContainsAsync(after, "pi", ulong.MaxValue - 1));
        Assert.False(await ContainsAsync(after, "pi", ulong.MaxValue - 5));
        Assert.False(await ContainsAsync(after, "pi", 1));
    }

    [Fact]
    public async Task Mixes_no_streams_up_when_it_could_not_be_written_anew()
    {
        using (var ledger = Open())
        {
            var path = directory.File("ledger");
            using (var entry = await ledger.LockAsync("slot-8", CancellationToken.None))
            {
                // The first stream is used last: written anew, they would be numbered the other way round.
                ledger.Add(Samples.Identity("a", "boot", 1), 1);
                ledger.Add(Samples.Identity("b", "boot", 1), 1);
                for (var i = 0; i < 300_000; i++)
                    ledger.Add(Samples.Identity("a", "boot", 1), 1);
                File.Move(path, path + ".aside");
                Directory.CreateDirectory(path);
                Assert.StartsWith("The ledger ", Assert.Throws<IOException>(entry.Complete).Message, StringComparison.Ordinal);
            }
            Directory.Delete(path);
            File.Move(path + ".aside", path);
            using (var entry = await ledger.LockAsync("slot-8", CancellationToken.None))
            {
                ledger.Add(Samples.Identity("a", "boot", 900_001), 10);
                entry.Complete();
            }
        }

        using var other = Open();

        Assert.True(await ContainsAsync(other, "a", 900_001));
        Assert.False(await ContainsAsync(other, "b", 900_001));
        Assert.True(await ContainsAsync(other, "b", 1));
    }

    [Fact]
    public async Task What_it_enters_from_a_journal_takes_little_room()
    {
        using (var dying = Open())
            await StoreAsync(dying, "slot-0", "pi", 1, 10);
        for (var record = 0; record < 20; record++)
            journals.Append("slot-0", Samples.Payload("pi", "boot", (ulong)(record * 1000 + 11), 1000));

        using var survivor = Open();

        Assert.True(await ContainsAsync(survivor, "pi", 20_010));
        Assert.False(await ContainsAsync(survivor, "pi", 20_011));
        Assert.InRange(new FileInfo(directory.File("ledger")).Length, 1, 1000);
    }

    [Fact]
    public async Task Stays_small_and_exact_when_it_is_written_anew()
    {
        using var ledger = Open();
        using var reader = Open();
        // Each boot leaves a definition and many entries; the file passes its threshold several times.
        for (var boot = 0; boot < 30; boot++)
        {
            using (var entry = await ledger.LockAsync("slot-0", CancellationToken.None))
            {
                for (ulong first = 1; first < 20_000; first += 2)
                    ledger.Add(new ReadingIdentity("pi", $"boot-{boot}", ReadingKind.Thermal, first / 2 + 1), 1);
                ledger.IndexJournal("slot-0", "epoch", _ => [], boot);
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
        using var check = await after.LockAsync("slot-9", CancellationToken.None);
        Assert.Equal(29, after.Position("slot-0", "epoch"));
        check.Complete();
    }

    [Fact]
    public async Task A_group_of_a_later_release_is_refused_and_stays_as_it_is()
    {
        using (var before = Open())
            await StoreAsync(before, "slot-0", "pi", 1, 10);
        var path = directory.File("ledger");
        // An entry 12, which there is not.
        byte[] entries = [12, 0];
        File.AppendAllBytes(
            path,
            [.. BitConverter.GetBytes(entries.Length), .. BitConverter.GetBytes(Crc32C.Compute(entries)), .. entries]
        );
        var bytes = File.ReadAllBytes(path);

        using var after = Open();
        var refused = await Assert.ThrowsAsync<IOException>(() => after.LockAsync("slot-0", CancellationToken.None).AsTask());

        Assert.Contains("entries of a later version; use the release that wrote it", refused.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    public void Dispose() => directory.Dispose();

    Ledger Open() => new(directory.Path, journals, TimeProvider.System, NullLogger.Instance, new FaultyDisk());

    async Task StoreAsync(Ledger ledger, string slot, string device, ulong first, int count)
    {
        await ClaimAsync(ledger, slot, device, first, count);
        journals.Append(slot, Samples.Payload(device, "boot", first, count));
        await ConfirmAsync(ledger, slot);
    }

    async Task ClaimAsync(Ledger ledger, string slot, string device, ulong first, int count)
    {
        journals.Owned.Add(slot);
        journals.Create(slot);
        using var entry = await ledger.LockAsync(slot, CancellationToken.None);
        var claim = ledger.Claim(slot, "epoch", journals.EndOf(slot));
        ledger.AddToClaim(claim, Samples.Identity(device, "boot", first), (ulong)count);
        entry.Complete(claim);
    }

    async Task ConfirmAsync(Ledger ledger, string slot)
    {
        using var entry = await ledger.LockAsync(slot, CancellationToken.None);
        Assert.True(ledger.Confirm(slot, journals.EndOf(slot)));
        entry.Complete();
    }

    static async Task<LedgerClaim?> FindOtherClaimAsync(Ledger ledger, string device, ulong sequence)
    {
        using var entry = await ledger.LockAsync("slot-9", CancellationToken.None);
        var claim = ledger.FindOtherClaim("slot-9", [(Samples.Identity(device, "boot", sequence), 1)]);
        entry.Complete();
        return claim;
    }

    static async Task<bool> ContainsAsync(Ledger ledger, string device, ulong sequence, string boot = "boot")
    {
        using var entry = await ledger.LockAsync("slot-9", CancellationToken.None);
        var contains = ledger.ContainsAny(Samples.Identity(device, boot, sequence), 1);
        entry.Complete();
        return contains;
    }
}
