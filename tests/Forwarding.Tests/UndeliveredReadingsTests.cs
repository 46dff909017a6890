using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What the files of a stopped installation say is not delivered yet.</summary>
public sealed class UndeliveredReadingsTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void An_installation_without_files_holds_nothing()
    {
        Assert.True(Undelivered.IsNone);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Readings_of_the_outbox_count_unless_a_ledger_knows_them()
    {
        using (var outbox = Open("agent/outbox/thermal"))
        {
            await AppendAsync(outbox, first: 1, count: 5);
            outbox.Commit(2, durable: true);
            await AppendAsync(outbox, first: 6, count: 5);
        }
        await StoreAsync("snowpipe", first: 1, count: 7);

        Assert.Equal(new UndeliveredReadings(3, 0, 0), Undelivered);

        await StoreAsync("s3", first: 8, count: 3);

        Assert.True(Undelivered.IsNone);
    }

    [Fact]
    public async Task What_the_s3_forwarder_has_not_committed_counts_and_what_snowflake_can_tell_does_not()
    {
        foreach (var forwarder in new[] { "snowpipe", "s3" })
        {
            using var journal = Open($"{forwarder}/slots/slot-1/journal");
            await AppendAsync(journal, first: 1, count: 10);
            journal.Commit(4, durable: true);
        }

        Assert.Equal(new UndeliveredReadings(0, 6, 0), Undelivered);
    }

    [Fact]
    public void Dead_letters_on_their_way_back_count()
    {
        Directory.CreateDirectory(directory.File("s3/dead-letters/replay"));
        File.WriteAllText(directory.File("s3/dead-letters/kept.ndjson"), "{}\n");
        File.WriteAllText(directory.File("s3/dead-letters/replay/sent-back.ndjson"), "{}\n");

        Assert.Equal(new UndeliveredReadings(0, 0, 1), Undelivered);
    }

    [Fact]
    public async Task Looking_changes_nothing()
    {
        using (var outbox = Open("agent/outbox/thermal"))
            await AppendAsync(outbox, first: 1, count: 5);
        await StoreAsync("snowpipe", first: 1, count: 7);
        var before = Snapshot();

        _ = Undelivered;

        Assert.Equal(before, Snapshot());
    }

    UndeliveredReadings Undelivered => UndeliveredReadings.Of(directory.File("agent"), directory.File("snowpipe"), directory.File("s3"));

    DurableJournal Open(string name) =>
        DurableJournal.Open(
            new JournalOptions { Directory = directory.File(name), FreeSpaceReserveBytes = 0 },
            TimeProvider.System,
            NullLogger.Instance
        );

    static async Task AppendAsync(DurableJournal journal, ulong first, int count) =>
        await journal.AppendAsync(new JournalRecord(Samples.Record("pi", "boot", first, count), count), CancellationToken.None);

    async Task StoreAsync(string forwarder, ulong first, ulong count)
    {
        Directory.CreateDirectory(directory.File(forwarder));
        using var ledger = new Ledger(directory.File(forwarder), new FakeJournals(), TimeProvider.System, NullLogger.Instance);
        using var entry = await ledger.LockAsync("slot-0", CancellationToken.None);
        ledger.Add(Samples.Identity("pi", "boot", first), count);
        entry.Complete();
    }

    SortedDictionary<string, string> Snapshot() =>
        new(
            Directory
                .GetFiles(directory.Path, "*", SearchOption.AllDirectories)
                .ToDictionary(file => file, file => Convert.ToHexString(File.ReadAllBytes(file)))
        );
}
