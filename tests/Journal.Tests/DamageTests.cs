using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Every byte of a small journal is changed, and every file cut at every length.</summary>
public sealed class DamageTests(ITestOutputHelper output) : IDisposable
{
    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    sealed record Stored(string File, long FrameStart, long FrameEnd, long Offset, int Count, string Text);

    [Theory]
    [InlineData(0xFF)]
    [InlineData(0x01)]
    public void A_changed_byte_costs_no_more_than_the_record_that_it_is_in(byte mask)
    {
        var (pristine, stored, next) = MakeJournal();

        ForEachCase(
            pristine,
            (file, position) =>
            {
                var path = Path.Combine(Copy(pristine), file);
                var bytes = File.ReadAllBytes(path);
                bytes[position] ^= mask;
                File.WriteAllBytes(path, bytes);

                Check(
                    Path.GetDirectoryName(path)!,
                    stored,
                    next,
                    one => one.File != file || position < SegmentHeader.Bytes || one.FrameEnd <= position || one.FrameStart > position
                );
            }
        );
    }

    [Fact]
    public void A_cut_file_costs_no_more_than_what_was_cut()
    {
        var (pristine, stored, next) = MakeJournal();

        ForEachCase(
            pristine,
            (file, length) =>
            {
                var path = Path.Combine(Copy(pristine), file);
                using (var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
                    RandomAccess.SetLength(handle, length);

                Check(Path.GetDirectoryName(path)!, stored, next, one => one.File != file || one.FrameEnd <= length);
            }
        );
    }

    [Fact]
    public void A_missing_file_costs_no_more_than_what_was_in_it()
    {
        var (pristine, stored, next) = MakeJournal();

        foreach (var file in Directory.GetFiles(pristine).Select(path => Path.GetFileName(path)))
        {
            var path = Path.Combine(Copy(pristine), file);
            File.Delete(path);

            Check(Path.GetDirectoryName(path)!, stored, next, one => one.File != file);
        }
    }

    [Fact]
    public void Garbage_behind_the_last_record_is_cut()
    {
        var (pristine, stored, next) = MakeJournal();
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        var last = stored[^1].File;

        for (var length = 1; length < 200; length++)
        {
            var path = Path.Combine(Copy(pristine), last);
            var garbage = new byte[length];
            if (length % 2 == 0)
                random.NextBytes(garbage);
            using (var file = new FileStream(path, FileMode.Append))
                file.Write(garbage);

            Check(Path.GetDirectoryName(path)!, stored, next, _ => true);
        }
    }

    static void Check(string directory, List<Stored> stored, long next, Func<Stored, bool> survives)
    {
        List<string> first;
        long appended;
        using (var journal = TestJournal.Open(TestJournal.Options(directory, segmentBytes: 1024), new UnreliableDisk(new Random(0))))
        {
            first = journal.ReadAll();
            var known = stored.Select(Format).ToHashSet();
            Assert.All(first, entry => Assert.Contains(entry, known));
            var missing = stored.Where(survives).Select(Format).Except(first).ToList();
            Assert.True(missing.Count == 0, "missing: " + string.Join(", ", missing));
            Assert.Equal(first.Distinct().Count(), first.Count);

            appended = journal.Append("afterwards", 3);
            Assert.True(appended >= next, $"offset {appended} was given out before: the journal had reached {next}");
            Assert.Equal([.. first, $"{appended}+3:afterwards"], journal.ReadAll());
        }

        using var reopened = TestJournal.Open(TestJournal.Options(directory, segmentBytes: 1024), new UnreliableDisk(new Random(0)));
        Assert.Equal([.. first, $"{appended}+3:afterwards"], reopened.ReadAll());
        Assert.Equal(appended + 3, reopened.NextOffset);
        Directory.Delete(directory, recursive: true);
    }

    static string Format(Stored one) => $"{one.Offset}+{one.Count}:{one.Text}";

    /// <summary>Three segments with time marks among the records, closed properly, nothing committed.</summary>
    (string Directory, List<Stored> Stored, long Next) MakeJournal()
    {
        var directory = temp.File("pristine");
        var clock = new FakeTimeProvider();
        using (var journal = TestJournal.Open(TestJournal.Options(directory, segmentBytes: 1024), clock: clock))
        {
            for (var i = 0; i < 20; i++)
            {
                journal.Append($"record {i} " + new string((char)('a' + i), 8 * i + (i == 7 ? 200 : 0)), 1 + i % 4 * 50);
                clock.Advance(TimeSpan.FromSeconds(4));
            }

            journal.Commit(1, durable: true);
        }

        List<Stored> stored = [];
        foreach (var (first, path) in Segment.List(directory))
        {
            using var scanner = new SegmentScanner(new Disk(), path);
            var (offset, start) = (first, scanner.Position);
            while (scanner.Read(scanner.FileLength, out var count, out var payload) == ScanStatus.Frame)
            {
                if (count > 0)
                    stored.Add(
                        new Stored(Path.GetFileName(path), start, scanner.Position, offset, count, Encoding.UTF8.GetString(payload.Span))
                    );
                offset += count;
                start = scanner.Position;
            }
        }

        Assert.Equal(20, stored.Count);
        Assert.Equal(3, stored.Select(one => one.File).Distinct().Count());
        return (directory, stored, stored[^1].Offset + stored[^1].Count);
    }

    string Copy(string pristine)
    {
        var copy = temp.File(Path.GetRandomFileName());
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(pristine))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    void ForEachCase(string pristine, Action<string, int> check)
    {
        var cases = 0;
        foreach (var path in Directory.GetFiles(pristine).Where(path => !path.EndsWith(".spare", StringComparison.Ordinal)))
        {
            var length = (int)new FileInfo(path).Length;
            for (var position = 0; position < length; position++, cases++)
            {
                try
                {
                    check(Path.GetFileName(path), position);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    throw new InvalidOperationException($"{Path.GetFileName(path)}, byte {position}: {e.Message}", e);
                }
            }
        }

        output.WriteLine($"{cases} cases");
        Assert.True(cases > 2000);
    }
}
