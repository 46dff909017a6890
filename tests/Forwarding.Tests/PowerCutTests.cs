using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A power cut takes what was written and not fsynced: the ledger, or its tail, or its order. The journals have everything, and the broker
/// delivers again to any slot what another one has stored.
/// </summary>
public sealed class PowerCutTests(ITestOutputHelper output) : IAsyncLifetime
{
    const int Slots = 4,
        Messages = 120,
        Readings = 3;

    readonly TempDirectory directory = new();
    readonly Destination destination = new();
    PublishingBroker broker = null!;

    public async ValueTask InitializeAsync() => broker = await PublishingBroker.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("tail lost")]
    [InlineData("tail torn")]
    [InlineData("tail of zeros")]
    [InlineData("empty")]
    public async Task Stores_nothing_again_that_the_journal_of_any_slot_holds(string ledger)
    {
        // The journals as the power cut left them: each slot has its part, and parts of nobody's session.
        for (var slot = 0; slot < Slots; slot++)
            await FillAsync(slot);
        await WriteLedgerAsync(ledger);

        // Two start at once; then what was published is published again, and goes to either of them.
        var options = Replica.Options(directory.Path, broker.Port, adoptionGrace: TimeSpan.FromHours(1));
        var starting = new[] { Replica.StartAsync(options, destination.CreateSink), Replica.StartAsync(options, destination.CreateSink) };
        var replicas = (await Task.WhenAll(starting)).ToList();
        await PublishAllAsync();
        await ReceivedAsync(replicas, Messages * Readings);
        // Of the slots that nobody owned, one gets its owner now.
        replicas.Add(await Replica.StartAsync(options, destination.CreateSink));
        await PublishAllAsync();
        await ReceivedAsync(replicas, 2 * Messages * Readings);

        Assert.All(replicas, replica => Assert.Equal(0, replica.Metrics.StoredTotal));
        Assert.All(replicas, replica => Assert.True(replica.Metrics.DuplicateTotal > 0));
        await Task.WhenAll(replicas.Select(replica => replica.DisposeAsync().AsTask()));

        // All of it is delivered once, by replicas that adopt what is left.
        await using var last = await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink);
        await Eventually.TrueAsync(
            () => destination.Rows.Count >= Messages * Readings,
            () => $"{destination.Rows.Count} rows; {string.Join(", ", last.Health.Parts)}",
            seconds: 90
        );
        Assert.Equal(
            Enumerable.Range(1, Messages * Readings).Select(number => (ulong)number),
            destination.Rows.Select(row => row.Sequence).Order()
        );
    }

    /// <summary>Every fourth message is in the journal of this slot.</summary>
    async Task FillAsync(int slot)
    {
        var path = Path.Combine(directory.Path, "slots", $"slot-{slot}", "journal");
        using var journal = DurableJournal.Open(
            new JournalOptions { Directory = path, FreeSpaceReserveBytes = 0 },
            TimeProvider.System,
            NullLogger.Instance
        );
        for (var message = slot; message < Messages; message += Slots)
            await journal.AppendAsync(new JournalRecord(Samples.Record("pi-1", "boot", First(message), Readings), Readings));
    }

    async Task WriteLedgerAsync(string state)
    {
        var path = directory.File("ledger");
        if (state == "lost")
            return;
        if (state == "empty")
        {
            await File.WriteAllBytesAsync(path, []);
            return;
        }
        // As it was before the power cut, complete, in many groups.
        using (var ledger = new Ledger(directory.Path, new FakeJournals(), TimeProvider.System, NullLogger.Instance))
        {
            var journals = new SlotJournals(directory.Path);
            for (var slot = 0; slot < Slots; slot++)
            {
                var epoch = journals.EpochOf($"slot-{slot}")!;
                foreach (var (payload, end) in journals.Read($"slot-{slot}", epoch, 0))
                {
                    using var entry = await ledger.LockAsync($"slot-{slot}", CancellationToken.None);
                    var claim = ledger.Claim($"slot-{slot}", epoch, end - Readings);
                    ledger.AddToClaim(claim, payload!.Identity(0), Readings);
                    ledger.Confirm($"slot-{slot}", end);
                    entry.Complete();
                }
            }
        }
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        var whole = await File.ReadAllBytesAsync(path);
        var ends = new List<int> { 16 };
        while (ends[^1] < whole.Length)
            ends.Add(ends[^1] + 8 + BitConverter.ToInt32(whole, ends[^1]));
        var kept = state == "tail lost" ? ends[random.Next(ends.Count - 1)] : random.Next(16, whole.Length);
        await File.WriteAllBytesAsync(
            path,
            state switch
            {
                "tail lost" => whole[..kept],
                "tail torn" => [.. whole[..kept], .. Enumerable.Range(0, 40).Select(_ => (byte)random.Next(256))],
                _ => [.. whole[..kept], .. new byte[whole.Length - kept]],
            }
        );
    }

    async Task PublishAllAsync()
    {
        for (var message = 0; message < Messages; message++)
            await broker.PublishAsync("pi-1", First(message), Readings);
    }

    static async Task ReceivedAsync(List<Replica> replicas, int readings) =>
        await Eventually.TrueAsync(
            () => replicas.Sum(replica => replica.Metrics.ReceivedTotal) >= readings,
            () =>
                $"{replicas.Sum(replica => replica.Metrics.ReceivedTotal)} of {readings}; "
                + $"{string.Join(", ", replicas.SelectMany(replica => replica.Health.Parts))}"
        );

    static ulong First(int message) => (ulong)(message * Readings + 1);
}
