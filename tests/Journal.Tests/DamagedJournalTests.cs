using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Segments that are damaged, torn, missing or of another journal.</summary>
public sealed class DamagedJournalTests : JournalTest
{
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
            Assert.Empty(log.Collector.Messages());

            var offsets = Offsets(journal);

            Assert.Equal([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19], offsets);
            Assert.Equal((1, 1L), (journal.QuarantinedFiles, journal.LostReadings));
            Assert.Equal(207, journal.QuarantinedBytes);
            var error = Assert.Single(log.Collector.GetSnapshot());
            Assert.Equal((LogLevel.Error, nameof(Log.SegmentDamaged)), (error.Level, error.Id.Name));
            Assert.Contains("offsets 6 to before 7: 1 acknowledged readings are lost", error.Message, StringComparison.Ordinal);
            Assert.Equal(19, journal.BacklogReadings);
            Assert.Equal(offsets, Offsets(journal));
        }

        using var reopened = Open(options);
        Assert.Equal(19, Offsets(reopened).Count);
        Assert.Equal((19, 1L), (reopened.BacklogReadings, reopened.LostReadings));
        Assert.Single(log.Collector.GetSnapshot());
    }

    [Fact]
    public void How_long_ago_a_loss_was_found_is_known_after_a_restart_and_does_not_follow_a_step_of_the_clock()
    {
        var time = new ManualClock();
        var options = new JournalOptions { Directory = temp.Path, FreeSpaceReserveBytes = 0 };
        using (var journal = DurableJournal.Open(options, time, log))
        {
            for (var i = 0; i < 4; i++)
                journal.Append(new string((char)('a' + i), 200));
            Assert.Null(journal.LossAge);
            Damage(Segment.List(temp.Path)[0].Path, SegmentHeader.Bytes + 2 * 207 + 50);
            Assert.Equal([0, 1, 3], Offsets(journal));
            // After a power cut the clock may be behind when the damage is found, and right a minute later.
            time.Step(TimeSpan.FromDays(3));
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(TimeSpan.FromMinutes(1), journal.LossAge);
        }

        time.Advance(TimeSpan.FromHours(5));
        using var reopened = DurableJournal.Open(options, time, log);
        Assert.Equal(new TimeSpan(5, 1, 0), reopened.LossAge);
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
        Assert.Equal(nameof(Log.ForeignSegment), Assert.Single(log.Collector.GetSnapshot()).Id.Name);
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
        var first = log.Collector.GetSnapshot()[0];
        Assert.Equal((LogLevel.Error, nameof(Log.SegmentsGone)), (first.Level, first.Id.Name));
    }

    /// <summary>
    /// A power cut leaves a hole in the last append, and a second one an unfinished file where the next segment was begun. In between, the
    /// readings behind the hole may have been delivered, by their offsets.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(300)]
    public void Readings_behind_a_hole_keep_their_offsets_when_the_next_segment_was_never_finished(int bytes)
    {
        var options = new JournalOptions { SegmentBytes = 1024 };
        MakeHole(options);
        long next;
        List<long> offsets;
        using (var journal = Open(options))
        {
            offsets = Offsets(journal);
            next = journal.NextOffset;
        }

        File.WriteAllBytes(Path.Combine(temp.Path, Segment.FileName(next)), new byte[bytes]);
        using var again = Open(options);

        Assert.Equal(2, offsets.Count);
        Assert.Equal(offsets, Offsets(again));
    }

    [Fact]
    public void Readings_behind_a_hole_keep_their_offsets_when_everything_is_committed()
    {
        var options = new JournalOptions { SegmentBytes = 1024 };
        MakeHole(options);
        List<long> offsets;
        using (var journal = Open(options))
        {
            offsets = Offsets(journal);
            journal.Commit(journal.NextOffset);
        }

        using var again = Open(options);

        Assert.Equal(2, offsets.Count);
        Assert.Equal(offsets, Offsets(again));
    }

    [Fact]
    public void From_outside_readings_behind_a_hole_have_the_offsets_that_the_journal_gives_them()
    {
        var options = new JournalOptions();
        MakeHole(options);

        var fromFiles = JournalFiles.Read(temp.Path, JournalFolder.EpochOf(temp.Path)!, from: 0).Select(entry => entry.Offset).ToList();
        var inspected = new JournalInspection(temp.Path).Read().Select(record => record.Offset).ToList();

        using var journal = Open(options);
        var offsets = Offsets(journal);
        Assert.Equal(2, offsets.Count);
        Assert.Equal(offsets, fromFiles);
        Assert.Equal(offsets, inspected);
    }
}
