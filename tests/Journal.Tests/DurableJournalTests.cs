using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Appending and reading, within one process and over restarts.</summary>
public sealed class DurableJournalTests : JournalTest
{
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
        Assert.Empty(log.Collector.Messages());
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
        Assert.Empty(log.Collector.Messages());
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

        using var holder = Process.Start(
            new ProcessStartInfo("flock", ["-o", lockFile, "sh", "-c", "echo held; exec cat"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync());
        Assert.Throws<JournalLockedException>(() => Open(new JournalOptions()));
        holder.Kill(entireProcessTree: true);
        await holder.WaitForExitAsync();

        using var journal = Open(new JournalOptions());
        Assert.Equal(0, journal.Append("a"));
    }

    [Fact]
    public async Task Readers_follow_a_writer_across_segments()
    {
        using var journal = Open(new JournalOptions { SegmentBytes = 4096 });
        const int records = 3000;
        long[] reached = [0, 0, 0];
        var readers = Enumerable
            .Range(0, 3)
            .Select(i =>
                Task.Run(async () =>
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
                })
            )
            .ToList();

        for (var i = 0; i < records; )
        {
            var batch = Enumerable
                .Range(i, 10)
                .Select(number => TestJournal.Record(number.ToString(CultureInfo.InvariantCulture)))
                .ToList();
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
    public void A_later_format_is_refused_with_an_explanation()
    {
        using (var journal = Open(new JournalOptions()))
            journal.Append("a");
        var path = Segment.List(temp.Path)[0].Path;
        var bytes = File.ReadAllBytes(path);
        bytes[8] = 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(60), Crc32C.Compute(bytes.AsSpan(0, 60)));
        File.WriteAllBytes(path, bytes);

        var exception = Assert.Throws<LaterFormatException>(() => Open(new JournalOptions()));

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
}
