using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Random operations, full disks, crashes and power cuts, against a list in memory.</summary>
public sealed class ModelTests(ITestOutputHelper output) : IDisposable
{
    const int Steps = 10_000;

    readonly TempDirectory temp = new();
    readonly ManualClock clock = new();

    // The model. What was appended is known by a number in its payload.
    readonly SortedDictionary<long, (int Count, int Number, int Bytes)> stored = [];
    readonly Dictionary<int, (int Count, int Bytes)> unsure = [];
    long handedOut;
    long committed;
    long durablyCommitted;
    long perhapsCommitted;

    // Below this, segments were deleted. A power cut may bring some back.
    long reclaimed;
    int lastNumber;

    Random random = new(0);
    UnreliableDisk disk = new(new Random(0));
    DurableJournal? journal;
    bool isStormy;
    string epoch = "";
    int crashes;
    int powerCuts;
    int refusals;
    int restores;

    public void Dispose()
    {
        disk.CallsUntilCrash = -1;
        try
        {
            journal?.Dispose();
        }
        catch (CrashException) { }

        temp.Dispose();
    }

    /// <param name="stormy">Power cuts follow one another after a few calls, so that one meets what another left half done.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ten_thousand_random_steps_lose_nothing_double_nothing_and_never_use_an_offset_twice(bool stormy)
    {
        isStormy = stormy;
        (random, var seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        disk = new UnreliableDisk(random);
        var step = 0;
        try
        {
            Open();
            for (; step < Steps; step++)
            {
                try
                {
                    Step();
                }
                catch (CrashException)
                {
                    Restart();
                }
            }

            Restart();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}, step {step}: {e.Message}", e);
        }

        output.WriteLine(
            $"{lastNumber} records, {crashes} crashes, {powerCuts} of them power cuts, {refusals} refused writes, {restores} restores"
        );
        Assert.True(crashes > 100 && powerCuts > 50 && refusals > 50 && restores > 10);
    }

    void Step()
    {
        if (isStormy && disk.CallsUntilCrash < 0 && random.Next(3) == 0)
            disk.CallsUntilCrash = random.Next(10);
        switch (random.Next(100))
        {
            case < 50:
                Append();
                break;
            case < 70:
                Commit(durable: random.Next(4) == 0);
                break;
            case < 76:
                CompareAll();
                break;
            case < 84:
                clock.Advance(TimeSpan.FromSeconds(random.Next(20)));
                break;
            case < 86:
                clock.Step(TimeSpan.FromMinutes(random.Next(-60, 60)));
                break;
            case < 88:
                Rewind();
                break;
            case < 91:
                Refuse();
                break;
            case < 93:
                Heal();
                reclaimed = Math.Max(reclaimed, journal!.FirstOffset);
                journal.Dispose();
                Open();
                Assert.Equal(committed, journal.CommittedOffset);
                break;
            default:
                if (disk.CallsUntilCrash < 0)
                    disk.CallsUntilCrash = random.Next(40);
                break;
        }
    }

    void Append()
    {
        List<Task<long>> appends = [];
        List<List<int>> numbers = [];
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            List<JournalRecord> records = [];
            numbers.Add([]);
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                var count = random.Next(3) == 0 ? random.Next(1, 2000) : 1;
                var bytes = random.Next(20, random.Next(8) == 0 ? 1500 : 60);
                unsure.Add(++lastNumber, (count, bytes));
                numbers[^1].Add(lastNumber);
                var text = lastNumber.ToString("D10", CultureInfo.InvariantCulture).PadRight(bytes, (char)('a' + lastNumber % 26));
                records.Add(new JournalRecord(Encoding.ASCII.GetBytes(text[7..]), count) { Prefix = Encoding.ASCII.GetBytes(text[..7]) });
            }

            try
            {
                appends.Add(journal!.AppendAsync(records).AsTask());
            }
            catch (IOException e) when (e.InnerException is CrashException)
            {
                throw new CrashException();
            }
        }

        for (var i = 0; i < appends.Count; i++)
        {
            var offset = WaitFor(appends[i]);
            Assert.True(offset >= handedOut, $"offset {offset} was given out before, up to {handedOut}");
            foreach (var number in numbers[i])
            {
                unsure.Remove(number, out var record);
                stored.Add(offset, (record.Count, number, record.Bytes));
                offset += record.Count;
            }

            handedOut = offset;
        }
    }

    /// <summary>Waits for an append; while the disk refuses it, lets time pass and then heals the disk or delivers something.</summary>
    long WaitFor(Task<long> append)
    {
        for (var turn = 0; ; turn++)
        {
            try
            {
                if (append.Wait(2))
                    return append.Result;
            }
            catch (AggregateException e) when (e.InnerException is CrashException)
            {
                throw new CrashException();
            }

            Assert.True(turn < 5000, $"an append hangs; {journal!.FullReason ?? "the journal does not say that it is full"}");
            if (!journal!.IsFull)
                continue;
            if (turn > 3)
            {
                Heal();
                if (journal.SizeBytes > 20_000)
                    Commit(durable: false, offset: journal.NextOffset);
            }

            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    void Refuse()
    {
        refusals++;
        switch (random.Next(3))
        {
            case 0:
                disk.BytesUntilFailure = random.Next(300);
                break;
            case 1:
                disk.FlushesToFail = random.Next(1, 3);
                break;
            default:
                disk.Free = random.Next(1000);
                break;
        }
    }

    void Heal()
    {
        disk.BytesUntilFailure = long.MaxValue;
        disk.FlushesToFail = 0;
        disk.Free = long.MaxValue;
    }

    void Commit(bool durable, long? offset = null)
    {
        var target = offset ?? committed + (long)((handedOut - committed) * random.NextDouble());
        try
        {
            // In the model first: a crash inside may come before or after the effect.
            committed = Math.Max(committed, target);
            perhapsCommitted = Math.Max(perhapsCommitted, target);
            journal!.Commit(target, durable);
            if (durable)
                durablyCommitted = committed;
        }
        catch (IOException)
        {
            Heal();
        }

        Assert.Equal(committed, journal!.CommittedOffset);
    }

    void Rewind()
    {
        var target = committed - random.Next(1000);
        durablyCommitted = Math.Min(durablyCommitted, target);
        try
        {
            perhapsCommitted = committed = journal!.Rewind(target);
        }
        catch (IOException)
        {
            committed = journal!.CommittedOffset;
            Heal();
        }

        Assert.True(committed >= target || committed == journal!.FirstOffset);
    }

    /// <summary>
    /// The process is gone, and perhaps the power: what comes back must be what was acknowledged, and perhaps some of what was not.
    /// </summary>
    void Restart()
    {
        crashes++;
        disk.Crash();
        reclaimed = Math.Max(reclaimed, journal?.FirstOffset ?? committed);
        try
        {
            journal?.Dispose();
        }
        catch (CrashException) { }

        journal = null;
        if (isStormy ? random.Next(10) != 0 : random.Next(2) == 0)
        {
            powerCuts++;
            disk.LosePower(temp.Path);
        }

        disk = disk.Restarted();
        // At times the next start does not get far either.
        if (random.Next(4) == 0)
        {
            disk.CallsUntilCrash = random.Next(12);
            try
            {
                Open();
            }
            catch (CrashException)
            {
                if (random.Next(2) == 0)
                    disk.LosePower(temp.Path);
            }

            Restart();
            return;
        }

        if (random.Next(10) == 0)
            LoseOriginal();
        else
            Reopen();
    }

    void Reopen()
    {
        Open();
        Assert.True(
            journal!.CommittedOffset >= durablyCommitted,
            $"committed {journal.CommittedOffset}, yet {durablyCommitted} was durable"
        );
        // A rewind that a full disk kept from being written is forgotten; the sink is asked again.
        Assert.True(journal.CommittedOffset <= Math.Max(perhapsCommitted, journal.FirstOffset));
        committed = journal.CommittedOffset;
        CompareAll();
        unsure.Clear();
    }

    /// <summary>A backup is made of what a crash left; the original goes on and is lost; the backup is restored.</summary>
    void LoseOriginal()
    {
        restores++;
        using var backup = new TempDirectory();
        CopyFiles(temp.Path, backup.Path);
        Reopen();
        var (held, heldTo, heldReclaimed) = (stored.ToList(), committed, reclaimed);
        for (var i = random.Next(5); i > 0; i--)
            Append();
        Commit(durable: random.Next(2) == 0);
        journal!.Dispose();

        foreach (var path in Directory.GetFiles(temp.Path, "*", SearchOption.AllDirectories))
            File.Delete(path);
        CopyFiles(backup.Path, temp.Path);
        Assert.NotNull(RestoredJournal.Continue(temp.Path, clock));
        disk = new UnreliableDisk(random);
        stored.Clear();
        foreach (var (offset, record) in held)
            stored.Add(offset, record);
        perhapsCommitted = durablyCommitted = committed = heldTo;
        reclaimed = heldReclaimed;
        Open();
        Assert.Equal(heldTo, journal.CommittedOffset);
        CompareAll();
    }

    static void CopyFiles(string from, string to)
    {
        foreach (var path in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
    }

    void Open()
    {
        journal = TestJournal.Open(
            new JournalOptions
            {
                Directory = temp.Path,
                SegmentBytes = 4096,
                MaxBytes = 40_000,
                FreeSpaceReserveBytes = 5000,
            },
            disk,
            clock
        );
        if (epoch.Length > 0 && stored.Count > 0)
            Assert.Equal(epoch, journal.Epoch);
        epoch = journal.Epoch;
    }

    /// <summary>Reads from the first stored offset and from a random one, and compares with the model.</summary>
    void CompareAll()
    {
        var first = journal!.FirstOffset;
        Assert.True(first <= Math.Max(committed, journal.CommittedOffset), "what is not committed was deleted");
        reclaimed = Math.Max(reclaimed, first);
        using var reader = journal.OpenReader(first);
        var expected = stored.SkipWhile(one => one.Key < first).ToList();
        var at = 0;
        while (reader.TryRead(out var entry))
        {
            var text = Encoding.ASCII.GetString(entry.Payload.Span);
            var number = int.Parse(text[..10], CultureInfo.InvariantCulture);
            while (at < expected.Count && expected[at].Key < entry.Offset && expected[at].Key < reclaimed)
            {
                stored.Remove(expected[at].Key);
                at++;
            }

            if (at < expected.Count && expected[at].Key == entry.Offset)
            {
                Assert.Equal(
                    (expected[at].Value.Count, expected[at].Value.Number, expected[at].Value.Bytes),
                    (entry.Count, number, text.Length)
                );
                at++;
                continue;
            }

            if (at < expected.Count && expected[at].Key < entry.Offset)
            {
                var moved = expected.Exists(one => one.Value.Number == number) ? "which was at another offset before" : "which is new";
                Assert.Fail(
                    $"record {expected[at].Value.Number} at {expected[at].Key} is gone; next comes {number} at {entry.Offset}, {moved}"
                );
            }

            // Not acknowledged before the crash, stored all the same: from now on it is as good as the others.
            Assert.True(unsure.Remove(number, out var record), $"record {number} at {entry.Offset} is there twice, or was never appended");
            Assert.Equal((record.Count, record.Bytes), (entry.Count, text.Length));
            Assert.True(entry.Offset >= handedOut, $"offset {entry.Offset} was given out before");
            stored.Add(entry.Offset, (record.Count, number, record.Bytes));
            handedOut = entry.EndOffset;
        }

        for (; at < expected.Count && expected[at].Key < reclaimed; at++)
            stored.Remove(expected[at].Key);
        Assert.True(at == expected.Count, at == expected.Count ? "" : $"record {expected[at].Value.Number} at {expected[at].Key} is gone");
        Assert.Equal(
            stored
                .Where(one => one.Key + one.Value.Count > Math.Max(first, journal.CommittedOffset))
                .Sum(one => one.Key + one.Value.Count - Math.Max(one.Key, journal.CommittedOffset)),
            journal.BacklogReadings
        );

        if (stored.Count == 0)
            return;
        var (last, (count, _, _)) = stored.Last();
        var from = random.NextInt64(first, last + count);
        using var another = journal.OpenReader(from);
        var next = stored.First(one => one.Key >= first && one.Key + one.Value.Count > from);
        Assert.True(another.TryRead(out var found));
        Assert.Equal((next.Key, next.Value.Count), (found.Offset, found.Count));
    }
}
