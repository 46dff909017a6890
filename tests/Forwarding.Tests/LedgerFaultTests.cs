using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>I/O errors of the ledger's files: nothing is cut, discarded or forgotten because of them.</summary>
public sealed class LedgerFaultTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly FakeJournals journals = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task An_error_at_any_call_while_reading_changes_nothing_and_the_next_attempt_knows_everything(int count)
    {
        using (var writer = Open(new FaultyDisk()))
        {
            for (var i = 0; i < 5; i++)
                await StoreAsync(writer, "slot-0", "pi", (ulong)(i * 10 + 1), 10);
        }
        // The journals could repeat nothing: what the ledger loses is lost.
        journals.Clear();
        var path = directory.File("ledger");
        var before = await File.ReadAllBytesAsync(path);
        var failures = 0;
        for (var call = 1; ; call++)
        {
            var disk = new FaultyDisk();
            using var ledger = Open(disk);
            disk.Schedule(call, count);
            for (var isKnown = false; !isKnown; )
            {
                try
                {
                    isKnown = await ContainsAsync(ledger, "pi", 50);
                    Assert.True(isKnown, $"call {call}");
                }
                catch (IOException e)
                {
                    Assert.StartsWith(
                        $"The ledger {path} cannot be used: Input/output error. The storage device failed to read or write (EIO): see dmesg",
                        e.Message,
                        StringComparison.Ordinal
                    );
                }
                Assert.Equal(before, await File.ReadAllBytesAsync(path));
            }
            if (!disk.HasFailed)
                break;
            failures++;
            disk.Schedule(0);
            Assert.False(await ContainsAsync(ledger, "pi", 51), $"call {call}");
        }
        Assert.InRange(failures, 4, 100);
        Assert.False(Directory.Exists(directory.File("quarantine")));
    }

    [Fact]
    public async Task An_error_at_any_call_while_storing_is_repeated_until_it_is_right()
    {
        for (var call = 1; call < 14; call++)
        {
            var disk = new FaultyDisk();
            using var ledger = Open(disk);
            using var other = Open(new FaultyDisk());
            var first = (ulong)(call * 100);
            await StoreAsync(other, "slot-1", "other", first, 5);
            disk.Schedule(call);
            await StoreAsync(ledger, "slot-0", "pi", first, 10);

            foreach (var view in new[] { ledger, other })
            {
                Assert.True(await ContainsAsync(view, "pi", first + 9), $"call {call}");
                Assert.False(await ContainsAsync(view, "pi", first + 10), $"call {call}");
                Assert.True(await ContainsAsync(view, "other", first + 4), $"call {call}");
            }
        }
        Assert.False(Directory.Exists(directory.File("quarantine")));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(20)]
    [InlineData(50)]
    public async Task Less_than_the_file_has_is_no_torn_tail(long readable)
    {
        using (var writer = Open(new FaultyDisk()))
            await StoreAsync(writer, "slot-0", "pi", 1, 10);
        journals.Clear();
        var before = await File.ReadAllBytesAsync(directory.File("ledger"));
        var disk = new FaultyDisk { ReadableBytes = readable };
        using var ledger = Open(disk);

        var problem = await Assert.ThrowsAsync<IOException>(() => ContainsAsync(ledger, "pi", 10));

        Assert.Contains("bytes could be read", problem.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(directory.File("ledger")));
        disk.ReadableBytes = long.MaxValue;
        Assert.True(await ContainsAsync(ledger, "pi", 10));
    }

    [Fact]
    public async Task What_reads_wrong_once_is_no_damage()
    {
        using (var writer = Open(new FaultyDisk()))
            await StoreAsync(writer, "slot-0", "pi", 1, 10);
        journals.Clear();
        var before = await File.ReadAllBytesAsync(directory.File("ledger"));
        for (var at = 0; at < before.Length; at++)
        {
            var (disk, flips) = (new FaultyDisk(), 1);
            disk.OnRead = (bytes, position) =>
            {
                var isLedger =
                    position + bytes.Length <= before.Length && before.AsSpan((int)position, bytes.Length).SequenceEqual(bytes.Span);
                if (!isLedger || position > at || position + bytes.Length <= at || flips-- <= 0)
                    return;
                bytes.Span[(int)(at - position)] ^= 0x40;
            };
            using var ledger = Open(disk);

            // The generation has no checksum: another one only means that the file is read again.
            Assert.True(await ContainsAsync(ledger, "pi", 10), $"byte {at}");
        }
        Assert.Equal(before, await File.ReadAllBytesAsync(directory.File("ledger")));
        Assert.False(Directory.Exists(directory.File("quarantine")));
    }

    [Fact]
    public async Task What_an_fsync_could_not_write_is_written_again()
    {
        var disk = new FaultyDisk();
        using var ledger = Open(disk);
        await StoreAsync(ledger, "slot-0", "pi", 1, 10);
        ledger.Flush();
        await StoreAsync(ledger, "slot-0", "pi", 11, 10);
        disk.Schedule(1);
        Assert.Throws<IOException>(ledger.Flush);

        // The kernel may have dropped what it could not write, whatever the next fsync says.
        Assert.Contains("is written again", Assert.Throws<IOException>(ledger.Flush).Message, StringComparison.Ordinal);
        var path = directory.File("ledger");
        var bytes = await File.ReadAllBytesAsync(path);
        await StoreAsync(ledger, "slot-0", "pi", 21, 10);

        ledger.Flush();
        Assert.NotEqual(bytes[..16], (await File.ReadAllBytesAsync(path))[..16]);
        using var after = Open(new FaultyDisk());
        Assert.True(await ContainsAsync(after, "pi", 30));
        Assert.True(await ContainsAsync(after, "pi", 1));
    }

    [Fact]
    public async Task A_journal_that_cannot_be_read_now_holds_up_the_first_entry()
    {
        journals.Append("slot-3", Samples.Payload("pi", "boot", 1, 10));
        journals.Failure = new IOException("Input/output error", 5);
        using var ledger = Open(new FaultyDisk());
        await Assert.ThrowsAsync<IOException>(() => ContainsAsync(ledger, "pi", 10));
        await Assert.ThrowsAsync<IOException>(() => ContainsAsync(ledger, "pi", 10));
        journals.Failure = null;

        Assert.True(await ContainsAsync(ledger, "pi", 10));
    }

    [Fact]
    public async Task A_ledger_that_is_deleted_under_running_replicas_is_made_from_the_journals_and_all_use_the_same()
    {
        using var one = Open(new FaultyDisk());
        using var other = Open(new FaultyDisk());
        await StoreAsync(one, "slot-0", "pi", 1, 10);
        await StoreAsync(other, "slot-1", "pi", 11, 10);
        File.Delete(directory.File("ledger"));

        using var late = Open(new FaultyDisk());
        await StoreAsync(late, "slot-2", "pi", 21, 10);
        await StoreAsync(one, "slot-0", "pi", 31, 10);

        foreach (var ledger in new[] { one, other, late })
        {
            foreach (var sequence in (ulong[])[1, 20, 30, 40])
                Assert.True(await ContainsAsync(ledger, "pi", sequence), $"{sequence}");
        }
    }

    public void Dispose() => directory.Dispose();

    Ledger Open(FaultyDisk disk) => new(directory.Path, journals, TimeProvider.System, NullLogger.Instance, disk);

    /// <summary>As a slot does: what fails is repeated.</summary>
    async Task StoreAsync(Ledger ledger, string slot, string device, ulong first, int count)
    {
        journals.Owned.Add(slot);
        journals.Create(slot);
        await InsistAsync(
            ledger,
            slot,
            entry =>
            {
                Assert.False(ledger.ContainsAny(Samples.Identity(device, "boot", first), (ulong)count));
                var claim = ledger.Claim(slot, "epoch", journals.EndOf(slot));
                ledger.AddToClaim(claim, Samples.Identity(device, "boot", first), (ulong)count);
                entry.Complete(claim);
            }
        );
        journals.Append(slot, Samples.Payload(device, "boot", first, count));
        await InsistAsync(
            ledger,
            slot,
            entry =>
            {
                Assert.True(ledger.Confirm(slot, journals.EndOf(slot)));
                entry.Complete();
            }
        );
    }

    static async Task InsistAsync(Ledger ledger, string slot, Action<LedgerSession> act)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var entry = await ledger.LockAsync(slot, CancellationToken.None);
                act(entry);
                return;
            }
            catch (IOException) when (attempt < 5)
            {
                // Once more.
            }
        }
    }

    static async Task<bool> ContainsAsync(Ledger ledger, string device, ulong sequence)
    {
        using var entry = await ledger.LockAsync("slot-9", CancellationToken.None);
        return ledger.ContainsAny(Samples.Identity(device, "boot", sequence), 1);
    }
}
