namespace ThermalStreaming.Journal.Tests;

/// <summary>Appends that share an fsync, and what counts as stored.</summary>
public sealed class GroupCommitTests : JournalTest
{
    [Fact]
    public async Task Payloads_may_be_reused_as_soon_as_the_append_returns_its_task()
    {
        using var journal = Open(new JournalOptions());
        var (prefix, payload) = ("12"u8.ToArray(), "345"u8.ToArray());

        var append = journal.AppendAsync(new JournalRecord(payload) { Prefix = prefix });
        payload.AsSpan().Clear();
        prefix.AsSpan().Clear();
        await append;

        Assert.Equal(["0+1:12345"], journal.ReadAll());
    }

    [Fact]
    public async Task Appends_that_wait_share_one_fsync()
    {
        using var firstFlush = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var disk = new UnreliableDisk(new Random(0));
        using var journal = Open(new JournalOptions(), disk);
        var before = disk.FileFlushes;
        disk.OnFlush = () =>
        {
            firstFlush.Release();
            Assert.True(goOn.Wait(TestJournal.Ceiling));
        };

        List<Task<long>> appends = [journal.AppendAsync(TestJournal.Record("0")).AsTask()];
        Assert.True(await firstFlush.WaitAsync(TestJournal.Ceiling));
        for (var i = 1; i <= 500; i++)
            appends.Add(journal.AppendAsync(TestJournal.Record($"{i}")).AsTask());
        Assert.Empty(journal.ReadAll());
        goOn.Release(2);
        await Task.WhenAll(appends).WaitAsync(TestJournal.Ceiling);
        disk.OnFlush = null;

        Assert.Equal(before + 2, disk.FileFlushes);
        Assert.Equal(Enumerable.Range(0, 501).Select(i => (long)i), appends.Select(append => append.Result));
    }

    [Fact]
    public async Task A_group_waits_for_company_as_long_as_the_linger_says()
    {
        var disk = new UnreliableDisk(new Random(0));
        using var journal = Open(new JournalOptions { Linger = TimeSpan.FromMilliseconds(20) }, disk);
        var before = disk.FileFlushes;

        var first = journal.AppendAsync(TestJournal.Record("a")).AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(10));
        var second = journal.AppendAsync(TestJournal.Record("b")).AsTask();
        Assert.Equal(0, journal.NextOffset);
        Assert.Equal(before, disk.FileFlushes);
        clock.Advance(TimeSpan.FromMilliseconds(10));

        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    clock.Advance(TimeSpan.FromMilliseconds(1));
                    return second.IsCompleted;
                },
                TestJournal.Ceiling
            )
        );
        Assert.Equal((0, 1), (await first, await second));
        Assert.Equal(before + 1, disk.FileFlushes);
    }

    [Fact]
    public async Task A_group_is_one_write_and_small_records_cost_few_bytes()
    {
        using var journal = Open(new JournalOptions());
        var before = journal.BytesWritten;

        await journal.AppendAsync(Enumerable.Repeat(new JournalRecord(new byte[120]), 1000).ToList());

        Assert.InRange(journal.BytesWritten - before, 120_000, 120_000 + 1000 * 7);
    }

    [Fact]
    public async Task What_a_killed_process_had_written_and_not_fsynced_is_fsynced_before_it_counts_as_stored()
    {
        var killed = new UnreliableDisk(new Random(0));
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path), killed))
        {
            journal.Append("a");
            killed.CallsUntilCrash = 1; // The write goes through, the fsync does not.
            await Assert.ThrowsAsync<CrashException>(() =>
                journal.AppendAsync(TestJournal.Record("b")).AsTask().WaitAsync(TestJournal.Ceiling)
            );
        }

        var disk = new UnreliableDisk(new Random(0));
        using var next = TestJournal.Open(TestJournal.Options(temp.Path), disk);

        Assert.Equal(["0+1:a", "1+1:b"], next.ReadAll());
        Assert.Equal(1, disk.FileFlushes);
    }

    [Fact]
    public async Task Closing_stores_what_was_appended_before()
    {
        var journal = Open(new JournalOptions { Linger = TimeSpan.FromHours(1) });
        var append = journal.AppendAsync(TestJournal.Record("a")).AsTask();

        journal.Dispose();

        Assert.Equal(0, await append.WaitAsync(TestJournal.Ceiling));
        using var reopened = Open(new JournalOptions());
        Assert.Equal(["0+1:a"], reopened.ReadAll());
    }
}
