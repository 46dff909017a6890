using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class DurableJournalTests : IDisposable
{
    readonly TempDirectory temp = new();
    readonly ManualClock clock = new();
    readonly LogList log = new();

    public void Dispose() => temp.Dispose();

    DurableJournal Open(JournalOptions options, Disk? disk = null)
    {
        options.Directory = temp.Path;
        options.FreeSpaceReserveBytes = 0;
        return DurableJournal.Open(options, clock, log, disk ?? new Disk());
    }

    [Fact]
    public void Gives_back_what_was_appended_with_offsets_that_count_readings()
    {
        using var journal = Open(new JournalOptions());

        Assert.Equal(0, journal.Append("a", 10));
        Assert.Equal(10, journal.Append("b"));
        Assert.Equal(11, journal.Append("c", 5));

        Assert.Equal(["0+10:a", "10+1:b", "11+5:c"], journal.ReadAll());
        Assert.Equal(16, journal.NextOffset);
        Assert.Equal(16, journal.BacklogReadings);
        Assert.Empty(log.Entries);
    }

    [Fact]
    public void Goes_on_where_it_was_after_a_restart()
    {
        string epoch;
        using (var journal = Open(new JournalOptions()))
        {
            epoch = journal.Epoch;
            journal.Append("a", 3);
            journal.Append("b", 3);
            journal.Commit(3);
        }

        using var reopened = Open(new JournalOptions());

        Assert.Matches("^[0-9a-f]{16}$", epoch);
        Assert.Equal(epoch, reopened.Epoch);
        Assert.Equal(3, reopened.CommittedOffset);
        Assert.Equal(6, reopened.Append("c"));
        Assert.Equal(["3+3:b", "6+1:c"], reopened.ReadAll(reopened.CommittedOffset));
        Assert.Empty(log.Entries);
    }

    [Fact]
    public void A_reader_in_the_middle_of_a_record_gets_that_record()
    {
        using var journal = Open(new JournalOptions());
        journal.Append("a", 10);
        journal.Append("b", 10);

        Assert.Equal(["10+10:b"], journal.ReadAll(15));
    }

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

        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(1));
                return second.IsCompleted;
            },
            TestJournal.Ceiling));
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
    public async Task One_writer_at_a_time_also_between_processes_and_a_killed_one_does_not_count()
    {
        var lockFile = temp.File("lock");
        using (Open(new JournalOptions()))
        {
            var exception = Assert.Throws<JournalLockedException>(() => Open(new JournalOptions()));
            Assert.Contains("fuser", exception.Message, StringComparison.Ordinal);
            using var other = Process.Start("flock", ["-n", lockFile, "true"]);
            await other.WaitForExitAsync();
            Assert.Equal(1, other.ExitCode);
        }

        using var holder = Process.Start(new ProcessStartInfo("flock", ["-o", lockFile, "sh", "-c", "echo held; exec cat"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync());
        Assert.Throws<JournalLockedException>(() => Open(new JournalOptions()));
        holder.Kill(entireProcessTree: true);
        await holder.WaitForExitAsync();

        using var journal = Open(new JournalOptions());
        Assert.Equal(0, journal.Append("a"));
    }

    [Fact]
    public void Delivered_segments_are_deleted_and_the_offsets_go_on()
    {
        using (var journal = Open(new JournalOptions { SegmentBytes = 1024 }))
        {
            for (var i = 0; i < 40; i++)
                journal.Append(new string('x', 200));
            Assert.Equal(10, Segment.List(temp.Path).Count);

            journal.Commit(38);

            Assert.Single(Segment.List(temp.Path));
            Assert.Equal(36, journal.FirstOffset);
            Assert.Equal(2, journal.BacklogReadings);
            Assert.Equal(new FileInfo(Segment.List(temp.Path)[0].Path).Length, journal.SizeBytes);
            journal.Commit(40);
        }

        using var reopened = Open(new JournalOptions { SegmentBytes = 1024 });
        Assert.Equal(40, reopened.Append("y"));
    }

    [Fact]
    public void The_age_of_the_oldest_undelivered_reading_is_known()
    {
        using var journal = Open(new JournalOptions());
        Assert.Null(journal.OldestUncommittedAge);

        journal.Append("a");
        clock.Advance(TimeSpan.FromMinutes(10));
        journal.Append("b");
        clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(TimeSpan.FromMinutes(15), journal.OldestUncommittedAge);
        journal.Commit(1);
        Assert.Equal(TimeSpan.FromMinutes(5), journal.OldestUncommittedAge);
        journal.Commit(2);
        Assert.Null(journal.OldestUncommittedAge);
    }

    [Fact]
    public void Frequent_commits_write_the_cursor_seldom_and_without_fsync()
    {
        var disk = new UnreliableDisk(new Random(0));
        using var journal = Open(new JournalOptions { CursorInterval = TimeSpan.FromSeconds(10) }, disk);
        for (var i = 0; i < 1000; i++)
            journal.Append("x");
        var (bytes, flushes) = (disk.BytesWritten, disk.FileFlushes);

        for (var i = 0; i < 1000; i++)
        {
            journal.Commit(i);
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        clock.Advance(TimeSpan.FromSeconds(10));
        var cursor = CursorFile.Parse(File.ReadAllBytes(temp.File(CursorFile.RecentName)));
        Assert.Equal(999, cursor?.Committed);
        Assert.InRange((disk.BytesWritten - bytes) / File.ReadAllBytes(temp.File(CursorFile.RecentName)).Length, 9, 11);
        Assert.Equal(flushes, disk.FileFlushes);
    }

    [Fact]
    public void A_durable_commit_survives_a_power_cut_at_once()
    {
        var disk = new UnreliableDisk(new Random(0));
        var journal = Open(new JournalOptions(), disk);
        journal.Append("a", 10);
        journal.Commit(7, durable: true);
        journal.Commit(8);
        disk.Crash();
        Assert.Throws<CrashException>(journal.Dispose);
        disk.LosePower(temp.Path);

        using var reopened = Open(new JournalOptions());

        Assert.Equal(7, reopened.CommittedOffset);
        Assert.Equal(3, reopened.BacklogReadings);
    }

    [Fact]
    public void A_rewind_takes_commits_back_as_far_as_readings_are_stored()
    {
        using var journal = Open(new JournalOptions { SegmentBytes = 1024 });
        for (var i = 0; i < 20; i++)
            journal.Append(new string('x', 200));
        journal.Commit(10);

        Assert.Equal(9, journal.Rewind(9));
        Assert.Equal(11, journal.BacklogReadings);
        Assert.Equal(journal.FirstOffset, journal.Rewind(0));
    }

    [Fact]
    public void When_the_sink_has_more_than_the_journal_numbering_goes_on_behind_it()
    {
        using (var journal = Open(new JournalOptions()))
        {
            journal.Append("a", 5);
            journal.Commit(100);

            Assert.Equal(100, journal.Append("b", 5));
            Assert.Equal(["100+5:b"], journal.ReadAll());
            Assert.Equal(5, journal.BacklogReadings);
            Assert.Contains(log.Entries, entry => entry is { Level: LogLevel.Error, Id: 214 });
        }

        using var reopened = Open(new JournalOptions());
        Assert.Equal(105, reopened.NextOffset);
        Assert.Equal("100+5:b", reopened.ReadAll()[^1]);
    }

    [Fact]
    public async Task Readers_follow_a_writer_across_segments()
    {
        using var journal = Open(new JournalOptions { SegmentBytes = 4096 });
        const int records = 3000;
        long[] reached = [0, 0, 0];
        var readers = Enumerable.Range(0, 3).Select(i => Task.Run(async () =>
        {
            using var reader = journal.OpenReader(i * 100);
            var next = (long)i * 100;
            while (next < records)
            {
                while (reader.TryRead(out var entry))
                {
                    Assert.Equal(next, entry.Offset);
                    Assert.Equal(next.ToString(CultureInfo.InvariantCulture), Encoding.UTF8.GetString(entry.Payload.Span));
                    reached[i] = ++next;
                    // What the slowest has not read must stay.
                    if (i == 0)
                        journal.Commit(Math.Max(0, reached.Min() - 1000));
                }

                if (next < records)
                    Assert.True(await reader.WaitToReadAsync());
            }

            return next;
        })).ToList();

        for (var i = 0; i < records;)
        {
            var batch = Enumerable.Range(i, 10).Select(number => TestJournal.Record(number.ToString(CultureInfo.InvariantCulture))).ToList();
            Assert.Equal(i, await journal.AppendAsync(batch));
            i += 10;
        }

        Assert.All(await Task.WhenAll(readers).WaitAsync(TestJournal.Ceiling), end => Assert.Equal(records, end));
    }

    [Fact]
    public async Task A_waiting_reader_ends_when_the_journal_is_closed()
    {
        var journal = Open(new JournalOptions());
        using var reader = journal.OpenReader(0);
        Assert.False(reader.TryRead(out _));
        var waiting = reader.WaitToReadAsync().AsTask();
        Assert.False(waiting.IsCompleted);

        journal.Dispose();

        Assert.False(await waiting.WaitAsync(TestJournal.Ceiling));
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

    [Fact]
    public void Damage_in_an_older_segment_is_put_aside_reported_once_and_stepped_over()
    {
        var options = new JournalOptions { SegmentBytes = 1024 };
        using (var journal = Open(options))
        {
            for (var i = 0; i < 20; i++)
                journal.Append(new string((char)('a' + i), 200));
        }

        Damage(Segment.List(temp.Path)[1].Path, SegmentHeader.Bytes + 2 * 207 + 50);
        using (var journal = Open(options))
        {
            Assert.Empty(log.Entries);

            var offsets = Offsets(journal);

            Assert.Equal([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19], offsets);
            Assert.Equal((1, 1L), (journal.QuarantinedFiles, journal.LostReadings));
            Assert.Equal(207, journal.QuarantinedBytes);
            var error = Assert.Single(log.Entries);
            Assert.Equal((LogLevel.Error, 202), (error.Level, error.Id));
            Assert.Contains("offsets 6 to before 7: 1 acknowledged readings are lost", error.Text, StringComparison.Ordinal);
            Assert.Equal(19, journal.BacklogReadings);
            Assert.Equal(offsets, Offsets(journal));
        }

        using var reopened = Open(options);
        Assert.Equal(19, Offsets(reopened).Count);
        Assert.Equal((19, 1L), (reopened.BacklogReadings, reopened.LostReadings));
        Assert.Single(log.Entries);
    }

    [Fact]
    public async Task Damage_in_the_segment_that_is_written_to_blocks_nobody()
    {
        using var journal = Open(new JournalOptions());
        for (var i = 0; i < 4; i++)
            journal.Append(new string((char)('a' + i), 200));
        Damage(Segment.List(temp.Path)[0].Path, SegmentHeader.Bytes + 2 * 207 + 50);
        using var reader = journal.OpenReader(0);

        Assert.True(reader.TryRead(out _) && reader.TryRead(out _) && reader.TryRead(out var behind) && behind.Offset == 3);
        Assert.False(reader.TryRead(out _));
        var waiting = reader.WaitToReadAsync();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(4, journal.Append("later"));
        Assert.True(await waiting);

        Assert.True(reader.TryRead(out var entry));
        Assert.Equal(4, entry.Offset);
        Assert.Equal((1, 1L), (journal.QuarantinedFiles, journal.LostReadings));
        Assert.Equal([0, 1, 3, 4], Offsets(journal));
        Assert.Equal(2, Segment.List(temp.Path).Count);
    }

    [Fact]
    public void A_segment_that_vanishes_blocks_nobody()
    {
        using var journal = Open(new JournalOptions { SegmentBytes = 1024 });
        for (var i = 0; i < 12; i++)
            journal.Append(new string((char)('a' + i), 200));
        File.Delete(Segment.List(temp.Path)[1].Path);

        Assert.Equal([0, 1, 2, 3, 8, 9, 10, 11], Offsets(journal));
        Assert.Equal(4, journal.LostReadings);
    }

    [Fact]
    public async Task Damage_in_the_segment_that_is_written_to_is_nothing_left_to_deliver()
    {
        using var journal = Open(new JournalOptions());
        for (var i = 0; i < 4; i++)
            journal.Append(new string((char)('a' + i), 200));
        Damage(Segment.List(temp.Path)[0].Path, SegmentHeader.Bytes + 2 * 207 + 50);

        Assert.Equal([0, 1, 3], Offsets(journal));
        Assert.Equal(3, journal.BacklogReadings);
        journal.Commit(4);

        Assert.Equal(0, journal.BacklogReadings);
        Assert.Null(journal.OldestUncommittedAge);
        await journal.AppendAsync(TestJournal.Record("later"));
        Assert.Equal(1, journal.BacklogReadings);
    }

    [Fact]
    public void A_torn_tail_is_nothing_left_to_deliver()
    {
        using (var journal = Open(new JournalOptions()))
        {
            journal.Append("a", 5);
            journal.Append("b", 3);
            journal.Commit(5);
        }

        File.AppendAllText(Segment.List(temp.Path)[0].Path, "torn");
        using var reopened = Open(new JournalOptions());
        Assert.Equal((3, 3), (reopened.BacklogReadings, reopened.ReadingsFrom(5)));
        reopened.Commit(8);

        Assert.Equal((8, Frame.MaxCount, 0), (reopened.CommittedOffset, reopened.NextOffset, reopened.BacklogReadings));
        Assert.Equal((8, 1, 0), (reopened.ReadingsFrom(0), reopened.ReadingsFrom(7), reopened.ReadingsFrom(8)));
        reopened.Append("c", 2);
        Assert.Equal((2, 10, 1), (reopened.BacklogReadings, reopened.ReadingsFrom(0), reopened.ReadingsFrom(Frame.MaxCount + 1)));
    }

    [Fact]
    public async Task What_a_killed_process_had_written_and_not_fsynced_is_fsynced_before_it_counts_as_stored()
    {
        var killed = new UnreliableDisk(new Random(0));
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path), killed))
        {
            journal.Append("a");
            killed.CallsUntilCrash = 1; // The write goes through, the fsync does not.
            await Assert.ThrowsAsync<CrashException>(() => journal.AppendAsync(TestJournal.Record("b")).AsTask().WaitAsync(TestJournal.Ceiling));
        }

        var disk = new UnreliableDisk(new Random(0));
        using var next = TestJournal.Open(TestJournal.Options(temp.Path), disk);

        Assert.Equal(["0+1:a", "1+1:b"], next.ReadAll());
        Assert.Equal(1, disk.FileFlushes);
    }

    [Fact]
    public void The_segment_of_another_journal_is_put_aside()
    {
        using (var journal = Open(new JournalOptions()))
            journal.Append("a");
        using var elsewhere = new TempDirectory();
        using (var other = TestJournal.Open(TestJournal.Options(elsewhere.Path, 1024)))
        {
            for (var i = 0; i < 10; i++)
                other.Append(new string('x', 200));
        }

        var foreign = Segment.List(elsewhere.Path)[^1].Path;
        File.Copy(foreign, temp.File(Path.GetFileName(foreign)));

        using var reopened = Open(new JournalOptions());

        Assert.Equal(["0+1:a"], reopened.ReadAll());
        Assert.Equal(1, reopened.QuarantinedFiles);
        Assert.Equal(204, Assert.Single(log.Entries).Id);
        Assert.Equal(1, reopened.Append("b"));
    }

    [Fact]
    public void A_journal_whose_segments_are_gone_begins_anew_under_another_epoch()
    {
        string epoch;
        using (var journal = Open(new JournalOptions()))
        {
            epoch = journal.Epoch;
            journal.Append("a");
            journal.Commit(1);
        }

        File.Delete(Segment.List(temp.Path)[0].Path);
        using var reopened = Open(new JournalOptions());

        Assert.NotEqual(epoch, reopened.Epoch);
        Assert.Equal(0, reopened.Append("b"));
        Assert.Equal((LogLevel.Error, 208), (log.Entries[0].Level, log.Entries[0].Id));
    }

    [Fact]
    public void A_later_format_is_refused_with_an_explanation()
    {
        using (var journal = Open(new JournalOptions()))
            journal.Append("a");
        var path = Segment.List(temp.Path)[0].Path;
        var bytes = File.ReadAllBytes(path);
        bytes[8] = 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(60), Crc32C.Compute(bytes.AsSpan(0, 60)));
        File.WriteAllBytes(path, bytes);

        var exception = Assert.Throws<IOException>(() => Open(new JournalOptions()));

        Assert.Contains("format version 2; this program knows 1", exception.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_explained()
    {
        File.WriteAllText(temp.File("file"), "");

        var exception = Assert.Throws<IOException>(() => TestJournal.Open(TestJournal.Options(temp.File("file/journal"))));

        Assert.Contains($"The journal directory {temp.File("file/journal")} cannot be used", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_checksum_is_crc32c()
    {
        // RFC 3720, appendix B.4, and the usual check value.
        Assert.Equal(0xE3069283, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 127)]
    [InlineData(127, 128)]
    [InlineData(128, 16_383)]
    [InlineData(16_384, 16_384)]
    [InlineData(2_097_151, 1)]
    [InlineData(Frame.MaxPayloadBytes, Frame.MaxCount)]
    public async Task Records_of_every_size_come_back(int bytes, int count)
    {
        using var journal = Open(new JournalOptions());
        var payload = new byte[bytes];
        new Random(bytes).NextBytes(payload);

        await journal.AppendAsync(new JournalRecord(payload, count)).AsTask().WaitAsync(TestJournal.Ceiling);

        using var reader = journal.OpenReader(0);
        Assert.True(reader.TryRead(out var entry));
        Assert.Equal((0, count), (entry.Offset, entry.Count));
        Assert.True(entry.Payload.Span.SequenceEqual(payload));
        Assert.False(reader.TryRead(out _));
    }

    static List<long> Offsets(DurableJournal journal)
    {
        using var reader = journal.OpenReader(0);
        List<long> offsets = [];
        while (reader.TryRead(out var entry))
            offsets.Add(entry.Offset);
        return offsets;
    }

    static void Damage(string path, long position)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = position;
        file.WriteByte(1);
    }
}
