using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Full disks, failing disks, and how appends wait for them.</summary>
public sealed class CapacityTests : IDisposable
{
    readonly TempDirectory temp = new();
    readonly FakeTimeProvider clock = new();
    readonly UnreliableDisk disk = new(new Random(0));

    public void Dispose() => temp.Dispose();

    [Fact]
    public void Asking_whether_there_is_room_deletes_nothing()
    {
        var mayDelete = false;
        var options = TestJournal.Options(temp.Path, 1024) with { MaxBytes = 64 * 1024, BeforeReclaim = () => mayDelete };
        using var journal = TestJournal.Open(options);
        for (var i = 0; i < 12; i++)
            journal.Append(new string('x', 500));
        journal.Commit(11);
        var segments = Directory.GetFiles(temp.Path, "*.segment").Length;
        Assert.InRange(segments, 3, 12);

        mayDelete = true;
        Assert.Null(journal.WhyNoRoomFor(100));
        _ = journal.WhyNoRoomFor(1_000_000);

        Assert.Equal(segments, Directory.GetFiles(temp.Path, "*.segment").Length);
        journal.Commit(12);
        Assert.Single(Directory.GetFiles(temp.Path, "*.segment"));
    }

    [Fact]
    public async Task At_the_size_limit_appends_wait_until_something_is_committed()
    {
        using var journal = Open(new JournalOptions { MaxBytes = 16_384, SegmentBytes = 2048 });
        var text = new string('x', 500);
        Task<long> append;
        do append = journal.AppendAsync(TestJournal.Record(text)).AsTask();
        while (Settle(append, () => journal.IsFull));

        Assert.False(append.IsCompleted);
        Assert.Contains("restore delivery, or raise JOURNAL_MAX_BYTES", journal.FullReason, StringComparison.Ordinal);
        Assert.InRange(journal.SizeBytes, 14_000, 16_384);
        var stored = journal.NextOffset;

        journal.Commit(stored / 2);

        Assert.Equal(stored, await append.WaitAsync(TestJournal.Ceiling));
        Assert.False(journal.IsFull);
        Assert.Equal($"{stored}+1:{text}", journal.ReadAll()[^1]);
    }

    [Fact]
    public void A_journal_whose_only_segment_is_delivered_never_stays_full()
    {
        using var journal = Open(new JournalOptions { MaxBytes = 8192, SegmentBytes = 1024 });
        var text = new string('x', 3900);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(i, journal.Append(text));
            journal.Commit(i + 1);
        }

        Assert.InRange(journal.SizeBytes, 0, 8192);
    }

    [Fact]
    public async Task Below_the_free_space_reserve_appends_wait_until_space_is_freed()
    {
        using var journal = Open(new JournalOptions { FreeSpaceReserveBytes = 10_000 });
        disk.Free = 20_000;
        journal.Append("a");
        disk.Free = 9_999;
        clock.Advance(TimeSpan.FromSeconds(2));

        var append = journal.AppendAsync(TestJournal.Record("b")).AsTask();
        Assert.False(Settle(append, () => journal.IsFull));
        Assert.Contains("9999 bytes are free", journal.FullReason, StringComparison.Ordinal);

        disk.Free = 20_000;
        AdvanceUntil(() => append.IsCompleted);

        Assert.Equal(1, await append);
        Assert.Null(journal.FullReason);
    }

    [Fact]
    public async Task A_write_that_stops_at_any_byte_leaves_nothing_behind_and_is_made_good()
    {
        var size = 3 * (new string('b', 40).Length + 6);
        for (var taken = 0; taken < size; taken++)
        {
            var options = new JournalOptions { Directory = temp.File($"stop-{taken}") };
            using (var journal = Open(options))
            {
                journal.Append("before");
                var length = new FileInfo(Path.Combine(options.Directory, Segment.FileName(0))).Length;
                disk.BytesUntilFailure = taken;

                var append = journal.AppendAsync(Enumerable.Repeat(TestJournal.Record(new string('b', 40), 7), 3).ToList()).AsTask();
                Assert.False(Settle(append, () => journal.IsFull));
                Assert.Contains("No space left on device", journal.FullReason, StringComparison.Ordinal);
                Assert.Equal(length, new FileInfo(Path.Combine(options.Directory, Segment.FileName(0))).Length);
                Assert.Single(journal.ReadAll());

                disk.BytesUntilFailure = long.MaxValue;
                AdvanceUntil(() => append.IsCompleted);
                Assert.Equal(1, await append);
                Assert.Equal(22, journal.Append("after"));
            }

            using var reopened = Open(options);
            Assert.Equal(
                ["0+1:before", .. Enumerable.Range(0, 3).Select(i => $"{1 + 7 * i}+7:{new string('b', 40)}"), "22+1:after"],
                reopened.ReadAll()
            );
        }
    }

    [Fact]
    public async Task After_a_failed_fsync_the_group_is_written_again_to_another_segment()
    {
        using (var journal = Open(new JournalOptions()))
        {
            journal.Append("a");
            disk.FlushesToFail = 1;

            var append = journal.AppendAsync(TestJournal.Record("b")).AsTask();
            AdvanceUntil(() => append.IsCompleted);

            Assert.Equal(1, await append);
            Assert.Equal(2, Segment.List(temp.Path).Count);
            Assert.Equal(["0+1:a", "1+1:b"], journal.ReadAll());
        }

        using var reopened = Open(new JournalOptions());
        Assert.Equal(["0+1:a", "1+1:b"], reopened.ReadAll());
    }

    [Fact]
    public async Task A_failed_fsync_of_the_very_first_group_is_made_good_too()
    {
        using var journal = Open(new JournalOptions());
        disk.FlushesToFail = 1;

        var append = journal.AppendAsync(TestJournal.Record("a")).AsTask();
        AdvanceUntil(() => append.IsCompleted);

        Assert.Equal(0, await append);
        Assert.Equal(["0+1:a"], journal.ReadAll());
        Assert.Single(Segment.List(temp.Path));
    }

    [Fact]
    public async Task Closing_a_full_journal_fails_the_appends_that_wait()
    {
        var journal = Open(new JournalOptions());
        disk.BytesUntilFailure = 0;
        var append = journal.AppendAsync(TestJournal.Record("a")).AsTask();
        Assert.False(Settle(append, () => journal.IsFull));

        journal.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => append.WaitAsync(TestJournal.Ceiling));
        Assert.Throws<ObjectDisposedException>(() => journal.Append("b"));
    }

    [Fact]
    public async Task A_waiting_append_can_be_given_up()
    {
        using var journal = Open(new JournalOptions());
        disk.BytesUntilFailure = 0;
        using var cancellation = new CancellationTokenSource();
        var append = journal.AppendAsync(TestJournal.Record("a"), cancellation.Token).AsTask();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append.WaitAsync(TestJournal.Ceiling));
    }

    [Fact]
    public async Task What_can_never_fit_is_refused_at_once()
    {
        using var journal = Open(new JournalOptions { MaxBytes = 100_000 });

        Assert.Throws<ArgumentException>(() => journal.Append(new string('x', 50_000)));
        Assert.Throws<ArgumentException>(() => journal.Append("x", 0));
        Assert.Throws<ArgumentException>(() => journal.Append("x", Frame.MaxCount + 1));
        await Assert.ThrowsAsync<ArgumentException>(() => journal.AppendAsync([]).AsTask());
        Assert.Equal(0, journal.Append("x", Frame.MaxCount));
        Assert.Equal(Frame.MaxCount, journal.Append("y", Frame.MaxCount));
    }

    /// <summary>A real file system of 2 MB that really runs out of space.</summary>
    [MountFact]
    public async Task On_a_real_full_file_system_appends_wait_and_go_on_when_space_is_freed()
    {
        using var mount = new SmallFileSystem(temp.File("small"), megabytes: 2);
        var ballast = Path.Combine(mount.Path, "ballast");
        File.WriteAllBytes(ballast, new byte[1024 * 1024]);
        var options = new JournalOptions
        {
            Directory = Path.Combine(mount.Path, "journal"),
            FreeSpaceReserveBytes = 0,
            SegmentBytes = 300_000,
        };
        var record = new JournalRecord(new byte[10_000]);
        long acknowledged = 0;
        using (var journal = TestJournal.Open(options))
        {
            var append = journal.AppendAsync(record).AsTask();
            for (; Settle(append, () => journal.IsFull); acknowledged++)
                append = journal.AppendAsync(record).AsTask();
            Assert.Contains("space", journal.FullReason, StringComparison.OrdinalIgnoreCase);
            Assert.InRange(acknowledged, 50, 110);
            Assert.Equal(acknowledged, journal.ReadAll().Count);

            File.Delete(ballast);

            Assert.Equal(acknowledged, await append.WaitAsync(TestJournal.Ceiling));
            Assert.False(journal.IsFull);
        }

        using var reopened = TestJournal.Open(options);
        Assert.Equal(acknowledged + 1, reopened.ReadAll().Count);
    }

    DurableJournal Open(JournalOptions options)
    {
        if (options.Directory.Length == 0)
            options.Directory = temp.Path;
        return TestJournal.Open(options, disk, clock);
    }

    /// <summary>Waits until the append is done (true) or the condition holds (false).</summary>
    static bool Settle(Task append, Func<bool> condition)
    {
        Assert.True(SpinWait.SpinUntil(() => append.IsCompleted || condition(), TestJournal.Ceiling), "neither stored nor full");
        return append.IsCompletedSuccessfully;
    }

    void AdvanceUntil(Func<bool> condition) =>
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    clock.Advance(TimeSpan.FromSeconds(1));
                    return condition();
                },
                TestJournal.Ceiling
            ),
            "the journal does not try again"
        );
}
