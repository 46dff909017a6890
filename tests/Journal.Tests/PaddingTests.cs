using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>
/// Groups that come one by one, as those of a single sensor do: an fsync writes whole pages, so a page that it touches again is written
/// again.
/// </summary>
public sealed class PaddingTests : IDisposable
{
    const int PageBytes = 4096;

    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    [Fact]
    public void Padding_of_any_length_is_frames_that_count_nothing()
    {
        for (var length = 1; length < PageBytes; length++)
        {
            var bytes = new byte[length];
            var isPadded = Frame.TryPad(bytes);

            Assert.True(isPadded || length < 92, $"{length} bytes cannot be padded");
            for (var at = 0; isPadded && at < length; )
            {
                Assert.Equal(FrameStatus.Valid, Frame.TryParse(bytes.AsSpan(at), out var size, out var count, out var payloadStart));
                Assert.Equal(0, count);
                Assert.False(Frame.TryReadMark(bytes.AsSpan(at + payloadStart, size - payloadStart), out _, out _));
                at += size;
            }
        }
    }

    [Theory]
    [InlineData(1320, 17_280)]
    [InlineData(7010, 4_320)]
    public void A_group_that_comes_alone_writes_the_fewest_pages_that_it_fits_into(int bytes, int groups)
    {
        var disk = new CountingDisk();
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path, segmentBytes: 64 * 1024 * 1024), disk))
        {
            for (var i = 0; i < groups; i++)
                journal.Append(Text(bytes, i));

            // A page more where the segment begins, and where a mark in front of a group does not fit.
            Assert.InRange(disk.Pages, 1, groups * Pages(bytes) * 1.02);
            Assert.InRange(journal.SizeBytes, 1, (long)groups * bytes * 1.25);
        }
        using var again = TestJournal.Open(TestJournal.Options(temp.Path));
        Assert.Equal(Enumerable.Range(0, groups).Select(i => $"{i}+1:{Text(bytes, i)}"), again.ReadAll());
    }

    [Fact]
    public void Damage_to_padding_costs_no_reading()
    {
        const int Groups = 7;
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path)))
        {
            for (var i = 0; i < Groups; i++)
                journal.Append(Text(1320, i));
        }
        var file = Directory.GetFiles(temp.Path, "*.segment").Single();
        var whole = File.ReadAllBytes(file);
        var from = StartOfPadding(whole);
        // To the end of a page.
        var to = (from / PageBytes + 1) * PageBytes;
        var expected = Enumerable.Range(0, Groups).Select(i => $"{i}+1:{Text(1320, i)}").ToList();

        for (var at = from; at < to; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x55;
            File.WriteAllBytes(file, damaged);

            using var journal = TestJournal.Open(TestJournal.Options(temp.Path));

            Assert.Equal(expected, journal.ReadAll());
        }
    }

    /// <summary>After the zeros nothing shows that it was padding. With four groups, no offset mark follows it either.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    public void Zeros_over_padding_cost_no_reading_and_leave_the_offsets(int groups)
    {
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path)))
        {
            for (var i = 0; i < groups; i++)
                journal.Append(Text(1320, i));
        }
        var file = Directory.GetFiles(temp.Path, "*.segment").Single();
        var bytes = File.ReadAllBytes(file);
        var from = StartOfPadding(bytes);
        bytes.AsSpan(from, PageBytes - from % PageBytes).Clear();
        File.WriteAllBytes(file, bytes);

        using var again = TestJournal.Open(TestJournal.Options(temp.Path));

        Assert.Equal(Enumerable.Range(0, groups).Select(i => $"{i}+1:{Text(1320, i)}"), again.ReadAll());
        Assert.Equal(0, again.LostReadings);
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(99, 0)]
    [InlineData(-1, 0)]
    public void Padding_takes_no_more_than_the_journal_may_still_grow_by(long mayGrow, int expected)
    {
        var group = new AppendGroup(null, createdAt: 0);
        group.Add(TestJournal.Record(Text(1320, 0)));

        var written = group.WithMarks(null, null, position: PageBytes - 100 - group.Length, mayGrow);

        Assert.Equal(group.Length + expected, written.Length);
    }

    static int StartOfPadding(byte[] segment)
    {
        for (var at = SegmentHeader.Bytes; at < segment.Length; )
        {
            Frame.TryParse(segment.AsSpan(at), out var size, out var count, out var payloadStart);
            if (count == 0 && segment[at + payloadStart] == 3)
                return at;
            at += size;
        }
        throw new InvalidOperationException("There is no padding.");
    }

    static string Text(int bytes, int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture).PadRight(bytes, 'x');

    static int Pages(int bytes) => (bytes + PageBytes - 1) / PageBytes;

    /// <summary>Counts the pages that each write touches, as often as one touches them.</summary>
    sealed class CountingDisk : Disk
    {
        public long Pages { get; private set; }

        public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position)
        {
            base.Write(file, bytes, position);
            Pages += (position + bytes.Length - 1) / PageBytes - position / PageBytes + 1;
        }

        public override void Flush(SafeFileHandle file)
        {
            // The real one takes minutes for so many groups.
        }
    }
}
