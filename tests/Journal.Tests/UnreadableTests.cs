using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>
/// An error of the device is no damage: it is thrown and tried again, nothing is repaired, cut or passed over because of it.
/// </summary>
public sealed class UnreadableTests : IDisposable
{
    readonly TempDirectory temp = new();
    readonly FakeTimeProvider clock = new();
    readonly FakeLogger log = new();
    UnreliableDisk disk = new(new Random(0));

    public void Dispose() => temp.Dispose();

    [Theory]
    // The headers of the three segments, and what lies in the last one; the epoch and the cursor are files of their own.
    [InlineData("00000000000000000000.segment", 0)]
    [InlineData("00000000000000000004.segment", 0)]
    [InlineData("00000000000000000008.segment", 0)]
    [InlineData("00000000000000000008.segment", 500)]
    [InlineData("epoch", 0)]
    [InlineData("cursor", 0)]
    [InlineData("losses", 0)]
    public void What_cannot_be_read_at_the_start_is_thrown_and_nothing_is_changed(string file, long position)
    {
        string epoch;
        using (var journal = Fill())
        {
            epoch = journal.Epoch;
            journal.Commit(2, durable: true);
        }
        if (file == "losses")
            File.WriteAllText(temp.File(file), "");
        var before = Directory.GetFiles(temp.Path).ToDictionary(path => path, File.ReadAllBytes);
        disk = new UnreliableDisk(new Random(0))
        {
            Unreadable = (path, from, length) => Path.GetFileName(path) == file && from <= position && from + length > position,
        };

        var exception = Assert.Throws<IOException>(() => Open());

        Assert.Contains("Input/output error", exception.Message, StringComparison.Ordinal);
        Assert.True(DiskError.IsMedium(exception) && !DiskError.IsSetting(exception));
        Assert.Equal(before, Directory.GetFiles(temp.Path).ToDictionary(path => path, File.ReadAllBytes));
        disk.Unreadable = null;
        using var again = Open();
        Assert.Equal((epoch, 2L, 12L, 0L), (again.Epoch, again.CommittedOffset, again.NextOffset, again.LostReadings));
        Assert.Equal(12, again.ReadAll().Count);
    }

    [Fact]
    public void A_reader_waits_for_bytes_that_cannot_be_read_and_then_gets_them()
    {
        using var journal = Fill();
        using var reader = journal.OpenReader(0);
        disk.Unreadable = (path, from, length) => Path.GetFileName(path) == "00000000000000000004.segment" && from + length > 300;
        // What comes before the bad sector is delivered.
        for (var offset = 0; offset < 5; offset++)
            Assert.True(reader.TryRead(out var entry) && entry.Offset == offset);

        for (var second = 0; second < 29; second++, clock.Advance(TimeSpan.FromSeconds(1)))
            Assert.Throws<IOException>(() => reader.TryRead(out _));
        Assert.Single(log.Collector.Of(new LogEvent(LogLevel.Warning, nameof(Log.ReadFails))));
        disk.Unreadable = null;

        for (var offset = 5; offset < 12; offset++)
            Assert.True(reader.TryRead(out var entry) && entry.Offset == offset);
        Assert.Equal((0L, 0), (journal.LostReadings, journal.QuarantinedFiles));
    }

    [Fact]
    public void Bytes_that_stay_unreadable_are_stepped_over_their_file_is_kept_and_recovered_once_it_can_be_read()
    {
        using (var journal = Fill(big: true))
        {
            using var reader = journal.OpenReader(0);
            disk.Unreadable = (path, from, length) =>
                Path.GetFileName(path) == "00000000000000000004.segment" && from < 8192 && from + length > 4096;
            List<long> offsets = [];
            while (offsets.Count == 0 || offsets[^1] < 11)
            {
                try
                {
                    Assert.True(reader.TryRead(out var entry));
                    offsets.Add(entry.Offset);
                }
                catch (IOException)
                {
                    clock.Advance(TimeSpan.FromSeconds(5));
                }
            }

            // The records have 2,500 bytes, and two of them lie in the 4 KiB from byte 4,096 on: 5 (2,571 to 5,078) and 6.
            Assert.Equal([0, 1, 2, 3, 4, 7, 8, 9, 10, 11], offsets);
            Assert.Equal((2L, 1L), (journal.LostReadings, journal.DamagedPlaces));
            journal.Commit(12);
            Assert.Equal(1, journal.QuarantinedFiles);
        }
        disk = new UnreliableDisk(new Random(0));

        var recovered = Assert.Single(new JournalRecover(temp.Path, clock, disk).Run());
        Assert.Equal((2, 2L, false), (recovered.Records, recovered.Readings, recovered.IsProblem));
        Assert.Empty(new JournalRecover(temp.Path, clock, disk).Run());

        using var reopened = Open();
        Assert.Equal(
            ["fff", "ggg"],
            reopened.ReadAll(12).Select(entry => entry[(entry.IndexOf(':', StringComparison.Ordinal) + 1)..][..3])
        );
        Assert.Equal((0L, 0, 2L), (reopened.LostReadings, reopened.QuarantinedFiles, reopened.BacklogReadings));
    }

    [Fact]
    public void A_file_of_which_nothing_can_be_read_is_never_passed_over()
    {
        using var journal = Fill();
        using var reader = journal.OpenReader(0);
        for (var offset = 0; offset < 4; offset++)
            Assert.True(reader.TryRead(out _));
        disk.Unreadable = (path, _, _) => Path.GetFileName(path) == "00000000000000000004.segment";

        for (var second = 0; second < 100; second++, clock.Advance(TimeSpan.FromSeconds(1)))
            Assert.Throws<IOException>(() => reader.TryRead(out _));
        disk.Unreadable = null;

        for (var offset = 4; offset < 12; offset++)
            Assert.True(reader.TryRead(out var entry) && entry.Offset == offset);
    }

    [Fact]
    public void Files_read_from_outside_are_not_passed_over_because_their_header_is_damaged()
    {
        string epoch;
        using (var journal = Fill())
            epoch = journal.Epoch;
        var path = Segment.List(temp.Path)[1].Path;
        var bytes = File.ReadAllBytes(path);
        bytes[20] ^= 1;
        File.WriteAllBytes(path, bytes);

        Assert.Equal(
            Enumerable.Range(3, 9).Select(offset => (long)offset),
            JournalFiles.Read(temp.Path, epoch, 3).Select(entry => entry.Offset)
        );
    }

    DurableJournal Open() => DurableJournal.Open(TestJournal.Options(temp.Path, 12_288), clock, log, disk);

    /// <summary>Three segments of four readings.</summary>
    DurableJournal Fill(bool big = false)
    {
        var journal = DurableJournal.Open(TestJournal.Options(temp.Path, big ? 12_288 : 1024), clock, log, disk);
        for (var i = 0; i < 12; i++)
            journal.Append(new string((char)('a' + i), big ? 2500 : 200));
        Assert.Equal(3, Segment.List(temp.Path).Count);
        return journal;
    }
}
