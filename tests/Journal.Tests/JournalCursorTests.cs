using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>The cursor: what is delivered, and what a commit or a rewind does.</summary>
public sealed class JournalCursorTests : JournalTest
{
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
            Assert.NotEmpty(log.Collector.Of(new LogEvent(LogLevel.Error, nameof(Log.CommitBeyondEnd))));
        }

        using var reopened = Open(new JournalOptions());
        Assert.Equal(105, reopened.NextOffset);
        Assert.Equal("100+5:b", reopened.ReadAll()[^1]);
    }
}
