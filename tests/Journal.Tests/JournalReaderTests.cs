using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Files that cannot be opened or read for a moment: that is no damage.</summary>
public sealed class JournalReaderTests : IDisposable
{
    readonly TempDirectory temp = new();
    readonly UnreliableDisk disk = new(new Random(0));

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_segment_that_cannot_be_opened_now_is_read_later_and_nothing_is_skipped()
    {
        using var journal = Fill();
        using var reader = journal.OpenReader(0);
        Assert.True(reader.TryRead(out _));
        disk.OpenFailure = new IOException("Too many open files");

        var offset = 1L;
        while (offset < 4)
            Assert.True(reader.TryRead(out var entry) && entry.Offset == offset++);
        for (var attempt = 0; attempt < 3; attempt++)
            Assert.Throws<IOException>(() => reader.TryRead(out _));
        disk.OpenFailure = null;
        while (reader.TryRead(out var entry))
            Assert.Equal(offset++, entry.Offset);

        Assert.Equal(12, offset);
        Assert.Equal((0, 0L), (journal.QuarantinedFiles, journal.LostReadings));
    }

    [Fact]
    public void A_read_that_fails_once_is_repeated_through_a_new_handle()
    {
        using var journal = Fill();
        for (var failing = 1; failing <= 6; failing++)
        {
            disk.ReadsUntilFailure = failing;

            Assert.Equal(12, journal.ReadAll().Count);
        }

        Assert.Equal((0, 0L), (journal.QuarantinedFiles, journal.LostReadings));
    }

    [Fact]
    public void What_cannot_be_looked_at_again_now_is_not_called_damaged()
    {
        using var journal = Fill();
        using var reader = journal.OpenReader(0);
        Assert.True(reader.TryRead(out _));
        for (var i = 1; i < 4; i++)
            Assert.True(reader.TryRead(out _));
        var path = Segment.List(temp.Path)[1].Path;
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, [.. bytes[..300], 0xFF, .. bytes[301..]]);
        Assert.True(reader.TryRead(out var entry) && entry.Offset == 4);

        disk.OpenFailure = new IOException("Too many open files");
        Assert.Throws<IOException>(() => reader.TryRead(out _));
        disk.OpenFailure = null;
        File.WriteAllBytes(path, bytes);
        for (var offset = 5L; offset < 12; offset++)
            Assert.True(reader.TryRead(out entry) && entry.Offset == offset);

        Assert.Equal((0, 0L), (journal.QuarantinedFiles, journal.LostReadings));
    }

    [Fact]
    public void A_last_segment_that_cannot_be_read_for_a_moment_is_not_cut_at_the_start()
    {
        using (Fill()) { }

        var opening = new UnreliableDisk(new Random(0));
        // The first three reads are of the headers.
        opening.ReadsUntilFailure = 4;
        using (var reopened = TestJournal.Open(TestJournal.Options(temp.Path, 1024), opening))
            Assert.Equal((12, 12L), (reopened.ReadAll().Count, reopened.NextOffset));
        Assert.True(opening.ReadsUntilFailure < 0);

        opening = new UnreliableDisk(new Random(0)) { OpenFailure = new IOException("Too many open files") };
        Assert.Throws<IOException>(() => TestJournal.Open(TestJournal.Options(temp.Path, 1024), opening));
        opening.OpenFailure = null;
        using var again = TestJournal.Open(TestJournal.Options(temp.Path, 1024), opening);
        Assert.Equal((12, 12L), (again.ReadAll().Count, again.NextOffset));
    }

    /// <summary>Three segments of four readings.</summary>
    DurableJournal Fill()
    {
        var journal = TestJournal.Open(TestJournal.Options(temp.Path, 1024), disk);
        for (var i = 0; i < 12; i++)
            journal.Append(new string((char)('a' + i), 200));
        Assert.Equal(3, Segment.List(temp.Path).Count);
        return journal;
    }
}
