using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>
/// Whole sectors of zeros, at any place, at the start and while the journal is open: they cost the records that lie in them, and nothing
/// else.
/// </summary>
public sealed class SectorTests(ITestOutputHelper output) : IDisposable
{
    const int SegmentBytes = 64 * 1024;

    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    sealed record Stored(string File, long Start, long End, long Offset, int Count, string Text)
    {
        public override string ToString() => $"{Offset}+{Count}:{Text}";
    }

    [Theory]
    [InlineData(512, false)]
    [InlineData(512, true)]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    public void A_sector_of_zeros_costs_only_the_records_in_it(int sector, bool whileOpen)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        var (pristine, stored) = Make(random);
        for (var i = 0; i < 40; i++)
            Check(
                pristine,
                stored,
                [(stored[random.Next(stored.Count)].File, random.NextInt64(SegmentBytes / sector) * sector, sector)],
                whileOpen,
                areOffsetsKnown: true
            );
        // The first and the last one of every file, with its header and its end.
        foreach (var file in stored.Select(one => one.File).Distinct())
        {
            Check(pristine, stored, [(file, 0, sector)], whileOpen, areOffsetsKnown: true);
            var length = new FileInfo(Path.Combine(pristine, file)).Length;
            Check(pristine, stored, [(file, (length - 1) / sector * sector, sector)], whileOpen, areOffsetsKnown: true);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sectors_of_zeros_in_several_places_leave_what_is_between_them(bool whileOpen)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        var (pristine, stored) = Make(random);
        for (var i = 0; i < 40; i++)
        {
            // A multiple of 16 KiB apart: there is an offset mark in between.
            var places = Enumerable
                .Range(0, random.Next(2, 6))
                .Select(_ => (stored[random.Next(stored.Count)].File, random.NextInt64(1, 4) * 16_384, 512 << random.Next(4)))
                .Distinct()
                .ToList();
            Check(pristine, stored, places, whileOpen, areOffsetsKnown: true);
            // Anywhere: what is between is delivered in order; its offset may be uncertain by what was lost.
            places =
            [
                .. Enumerable
                    .Range(0, random.Next(2, 6))
                    .Select(_ => (stored[random.Next(stored.Count)].File, random.NextInt64(SegmentBytes / 512) * 512, 512)),
            ];
            Check(pristine, stored, places, whileOpen, areOffsetsKnown: false);
        }
    }

    [Fact]
    public void Damage_that_comes_while_a_reader_is_in_the_middle_costs_only_what_it_covers()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        var (pristine, stored) = Make(random);
        for (var i = 0; i < 20; i++)
        {
            var directory = Copy(pristine);
            using var journal = TestJournal.Open(TestJournal.Options(directory, SegmentBytes), new UnreliableDisk(new Random(0)));
            using var reader = journal.OpenReader(0);
            var before = random.Next(stored.Count);
            List<string> read = [];
            for (var j = 0; j < before && reader.TryRead(out var entry); j++)
                read.Add(Text(entry));
            var damaged = stored[random.Next(stored.Count)];
            Zero(Path.Combine(directory, damaged.File), damaged.Start, 512);

            while (reader.TryRead(out var entry))
                read.Add(Text(entry));

            var hit = stored
                .Where(one => one.File == damaged.File && one.Start < damaged.Start + 512 && one.End > damaged.Start)
                .Select(one => one.ToString())
                .ToHashSet();
            Assert.Equal(stored.Select(one => one.ToString()).Where(one => !hit.Contains(one)), read.Where(one => !hit.Contains(one)));
        }
    }

    void Check(
        string pristine,
        List<Stored> stored,
        List<(string File, long Position, int Length)> places,
        bool whileOpen,
        bool areOffsetsKnown
    )
    {
        var what = string.Join(", ", places);
        var directory = Copy(pristine);
        var options = TestJournal.Options(directory, SegmentBytes);
        // A byte that is zero already is not damaged by zeros.
        var bytes = places
            .Select(place => place.File)
            .Distinct()
            .ToDictionary(file => file, file => File.ReadAllBytes(Path.Combine(pristine, file)));
        var expected = stored
            .Where(one =>
                !places.Exists(place =>
                    place.File == one.File
                    && Enumerable
                        .Range(0, place.Length)
                        .Any(i =>
                            place.Position + i >= one.Start && place.Position + i < one.End && bytes[place.File][place.Position + i] != 0
                        )
                )
            )
            .ToList();
        var lost = stored.Except(expected).Sum(one => one.Count);
        long appended,
            counted;
        if (!whileOpen)
            places.ForEach(place => Zero(Path.Combine(directory, place.File), place.Position, place.Length));
        using (var journal = TestJournal.Open(options, new UnreliableDisk(new Random(0))))
        {
            if (whileOpen)
                places.ForEach(place => Zero(Path.Combine(directory, place.File), place.Position, place.Length));
            AssertSame(journal.ReadAll());
            counted = journal.LostReadings;
            // The end of the last segment, when nothing says how far it went, is the only thing that cannot be counted.
            if (areOffsetsKnown)
                Assert.True(counted == lost, $"{what}: {lost} readings are missing, {counted} are counted");
            else
                Assert.True(counted >= lost, $"{what}: {lost} readings are missing, {counted} are counted");
            appended = journal.Append("afterwards", 3);
            Assert.True(appended >= stored[^1].Offset + stored[^1].Count, what);
            Assert.Equal(expected.Sum(one => one.Count) + 3, journal.BacklogReadings);
        }

        using var reopened = TestJournal.Open(options, new UnreliableDisk(new Random(0)));
        var again = reopened.ReadAll();
        Assert.Equal($"{appended}+3:afterwards", again[^1]);
        AssertSame(again[..^1]);
        Assert.True(counted == reopened.LostReadings, $"{what}: {counted} were counted, {reopened.LostReadings} after a restart");
        Directory.Delete(directory, recursive: true);

        void AssertSame(List<string> read)
        {
            var (left, right) = areOffsetsKnown
                ? (expected.ConvertAll(one => one.ToString()), read)
                : (expected.ConvertAll(one => one.Text), read.ConvertAll(one => one[(one.IndexOf(':', StringComparison.Ordinal) + 1)..]));
            Assert.True(
                left.SequenceEqual(right),
                $"{what}: missing {string.Join(", ", left.Except(right).Take(5))}; not expected "
                    + $"{string.Join(", ", right.Except(left).Take(5))}"
            );
        }
    }

    /// <summary>Four segments, records of 40 to 1,000 bytes, in groups of one to thirty, closed properly.</summary>
    (string Directory, List<Stored> Stored) Make(Random random)
    {
        var directory = temp.File("pristine");
        using (var journal = TestJournal.Open(TestJournal.Options(directory, SegmentBytes), new UnreliableDisk(new Random(0))))
        {
            var number = 0;
            while (journal.SizeBytes < 3.5 * SegmentBytes)
            {
                var records = Enumerable
                    .Range(0, random.Next(1, 30))
                    .Select(_ =>
                        TestJournal.Record(
                            $"record {number++} ".PadRight(random.Next(40, 1000), (char)('a' + number % 26)),
                            random.Next(1, 60)
                        )
                    )
                    .ToList();
                journal.AppendAsync(records).AsTask().Wait();
            }

            journal.Commit(0, durable: true);
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

        Assert.True(Segment.List(directory).Count > 2);
        return (directory, stored);
    }

    static string Text(JournalEntry entry) => $"{entry.Offset}+{entry.Count}:{Encoding.UTF8.GetString(entry.Payload.Span)}";

    static void Zero(string path, long position, int length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        var rest = (int)Math.Clamp(RandomAccess.GetLength(file) - position, 0, length);
        RandomAccess.Write(file, new byte[rest], position);
    }

    string Copy(string pristine)
    {
        var copy = temp.File(Path.GetRandomFileName());
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(pristine))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }
}
