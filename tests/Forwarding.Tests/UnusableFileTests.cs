using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Journals and ledgers that cannot be read or written for a while.</summary>
public sealed class UnusableFileTests(ITestOutputHelper output) : ForwarderTest(output)
{
    [Fact]
    public async Task A_journal_that_cannot_be_read_for_a_while_is_read_later()
    {
        // The destination is away, so the segment is open for writing and not yet for reading.
        for (var i = 0; i < 10_000; i++)
            destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "not yet", TimeSpan.FromMilliseconds(10)));
        await using var replica = await StartAsync(waitUntilReady: false);
        await PublishAsync("pi-1", 1, 10);
        await Eventually.TrueAsync(() => replica.Metrics.StoredTotal == 10, () => string.Join(", ", replica.Health.Parts));
        var segment = Directory.GetFiles(Path.Combine(directory.Path, "slots", "slot-0", "journal"), "*.segment").Single();
        // In its place, what nobody can open; the replica writes to the file that it has open.
        File.Move(segment, directory.File("aside"));
        File.CreateSymbolicLink(segment, segment);
        destination.Failures.Clear();
        await Eventually.TrueAsync(
            () =>
                replica.Health.Parts.Any(part =>
                    part is { Key: "delivery slot-0", Value: { } problem }
                    && problem.Contains("the journal cannot be read", StringComparison.Ordinal)
                ),
            () => string.Join(", ", replica.Health.Parts)
        );

        File.Move(directory.File("aside"), segment, overwrite: true);
        await DeliveredAsync(10);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));

        AssertOnce(("pi-1", 1, 10));
        Assert.Equal(1, destination.Opens);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_disk_that_refuses_what_was_received()
    {
        string segment;
        await using (var replica = await StartAsync())
        {
            segment = Directory.GetFiles(Path.Combine(directory.Path, "slots", "slot-0", "journal"), "*.segment").Single();
            // Nothing was appended yet, so the segment is not open, and a link to itself cannot be opened.
            File.Move(segment, directory.File("aside"));
            File.CreateSymbolicLink(segment, segment);
            await PublishAsync("pi-1", 1, 10);
            await Eventually.TrueAsync(
                () => replica.Health.Parts.Any(part => part is { Key: "journal slot-0", Value: not null }),
                () => string.Join(", ", replica.Health.Parts)
            );

            await replica.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(15));
        }
        File.Move(directory.File("aside"), segment, overwrite: true);

        await using var next = await StartAsync();
        await DeliveredAsync(10);
        AssertOnce(("pi-1", 1, 10));
    }

    [Theory]
    [InlineData("slots/slot-0/journal/lock")]
    public async Task A_file_that_cannot_be_used_is_a_problem_of_the_configuration_in_one_line(string file)
    {
        // What is in its place cannot be opened as a file, whoever runs this.
        Directory.CreateDirectory(directory.File(file));
        await using var replica = await StartAsync(waitUntilReady: false);

        var problem = await Assert.ThrowsAsync<ConfigurationException>(() => replica.Execution.WaitAsync(TimeSpan.FromSeconds(30)));

        var line = Assert.Single(problem.Problems);
        Assert.StartsWith($"DATA_DIRECTORY is '{directory.Path}': The ", line, StringComparison.Ordinal);
        Assert.Contains("cannot be used: ", line, StringComparison.Ordinal);
        Assert.Contains(directory.Path, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }

    [Theory]
    [InlineData("ledger.lock")]
    [InlineData("ledger")]
    public async Task A_ledger_that_cannot_be_used_at_the_start_holds_intake_up_and_nothing_else(string file)
    {
        var slot = Path.Combine(directory.Path, "slots", "slot-0", "journal");
        using (
            var journal = DurableJournal.Open(
                new JournalOptions { Directory = slot, FreeSpaceReserveBytes = 0 },
                TimeProvider.System,
                NullLogger.Instance
            )
        )
            await journal.AppendAsync(new JournalRecord(Samples.Record("pi-1", "boot", 1, 10), 10));
        // What is in its place cannot be opened as a file, whoever runs this.
        Directory.CreateDirectory(directory.File(file));
        await using var replica = await StartAsync(waitUntilReady: false);

        // What the journal has is delivered meanwhile.
        await DeliveredAsync(10);
        await PublishAsync("pi-1", 11, 10);
        await Eventually.TrueAsync(
            () => Ledger() is { } problem && problem.Contains("cannot be used", StringComparison.Ordinal),
            () => string.Join(", ", replica.Health.Parts)
        );
        Assert.StartsWith($"The ledger {directory.File("ledger")} cannot be used: ", Ledger(), StringComparison.Ordinal);
        Assert.False(replica.Execution.IsCompleted);
        Assert.Equal(0, replica.Metrics.StoredTotal);
        Directory.Delete(directory.File(file));

        await DeliveredAsync(20);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));
        AssertOnce(("pi-1", 1, 20));

        string? Ledger() => replica.Health.Parts.SingleOrDefault(part => part.Key == "ledger").Value;
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_used_holds_intake_up_and_says_so_until_it_can()
    {
        await using var replica = await StartAsync();
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);
        byte[] later = [9, 1, 2, 3];
        await File.AppendAllBytesAsync(
            directory.File("ledger"),
            (byte[])[4, 0, 0, 0, .. BitConverter.GetBytes(Crc32C.Compute(later)), .. later]
        );

        await PublishAsync("pi-1", 11, 10);
        await Eventually.TrueAsync(
            () => replica.Execution.IsCompleted || replica.Health.Parts.Any(part => part is { Key: "ledger", Value: not null }),
            () => string.Join(", ", replica.Health.Parts)
        );
        Assert.StartsWith(
            $"The ledger {directory.File("ledger")} cannot be used: ",
            replica.Health.Parts.Single(part => part.Key == "ledger").Value,
            StringComparison.Ordinal
        );
        using (var ledger = File.OpenWrite(directory.File("ledger")))
            ledger.SetLength(ledger.Length - 12);

        await DeliveredAsync(20);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_used_does_not_hold_up_a_stop()
    {
        var replica = await StartAsync();
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);
        byte[] later = [9, 1, 2, 3];
        await File.AppendAllBytesAsync(
            directory.File("ledger"),
            (byte[])[4, 0, 0, 0, .. BitConverter.GetBytes(Crc32C.Compute(later)), .. later]
        );
        await PublishAsync("pi-1", 11, 10);
        await Eventually.TrueAsync(
            () => replica.Health.Parts.Any(part => part is { Key: "ledger", Value: not null }),
            () => string.Join(", ", replica.Health.Parts)
        );

        await replica.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(15));
    }
}
