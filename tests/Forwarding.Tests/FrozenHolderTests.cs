using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A process that is frozen with the ledger's lock, or in the middle of storing: the others say so, stop when they are asked to, and store
/// nothing twice.
/// </summary>
public sealed class FrozenHolderTests : IAsyncLifetime
{
    readonly TempDirectory directory = new();
    readonly Destination destination = new();
    PublishingBroker broker = null!;

    public async ValueTask InitializeAsync() => broker = await PublishingBroker.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task The_ledgers_lock_is_waited_for_with_a_reason_and_not_longer_than_the_stop()
    {
        await using var stays = await StartAsync();
        var stops = await StartAsync();
        await broker.PublishAsync("pi-1", 1, 10);
        await Eventually.TrueAsync(() => destination.Rows.Count == 10);
        await using (var holder = await LockHolder.StartAsync(directory.File("ledger.lock")))
        {
            holder.Freeze();
            for (var message = 0; message < 10; message++)
                await broker.PublishAsync("pi-1", (ulong)(message * 10 + 11), 10);

            foreach (var replica in new[] { stays, stops })
                await Eventually.TrueAsync(
                    () => Problem(replica, "ledger")?.Contains("has been held by", StringComparison.Ordinal) == true,
                    () => string.Join(", ", replica.Health.Parts)
                );
            Assert.Contains($"(fuser {directory.File("ledger.lock")} names it)", Problem(stays, "ledger"), StringComparison.Ordinal);
            Assert.False(stays.Health.IsReady);
            var started = TimeProvider.System.GetTimestamp();
            await stops.DisposeAsync();
            // 25 s is what the host gives; nothing is waited for.
            Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 10);
            Assert.Equal(10, destination.Rows.Count);
        }

        // What went to the one that has stopped comes when its slot is adopted.
        await Eventually.TrueAsync(
            () => destination.Rows.Count >= 110,
            () => $"{destination.Rows.Count} rows; {string.Join(", ", stays.Health.Parts)}",
            seconds: 60
        );
        await Eventually.TrueAsync(() => stays.Health.IsReady, () => string.Join(", ", stays.Health.Parts));
        Assert.Equal(Enumerable.Range(1, 110).Select(number => (ulong)number), destination.Rows.Select(row => row.Sequence).Order());
    }

    [Fact]
    public async Task A_start_while_the_lock_is_held_delivers_what_the_journal_has_and_stops_at_once()
    {
        await using var holder = await LockHolder.StartAsync(directory.File("ledger.lock"));
        holder.Freeze();
        var replica = await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink, waitUntilReady: false);
        await Eventually.TrueAsync(
            () => Problem(replica, "ledger")?.Contains("has been held by", StringComparison.Ordinal) == true,
            () => string.Join(", ", replica.Health.Parts)
        );

        var started = TimeProvider.System.GetTimestamp();
        await replica.DisposeAsync();

        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 10);
    }

    [Fact]
    public async Task Readings_that_a_frozen_replica_was_storing_wait_and_no_others_do()
    {
        await using var replica = await StartAsync();
        // A replica that is frozen between its claim and its fsync: its slot's lock is held by a process that does nothing.
        Directory.CreateDirectory(directory.File("slots/slot-7/journal"));
        await using (var frozen = await LockHolder.StartAsync(directory.File("slots/slot-7.lock")))
        {
            using (
                var ledger = new Ledger(
                    directory.Path,
                    new SlotJournals(directory.Path),
                    TimeProvider.System,
                    Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
                )
            )
            {
                using var entry = await ledger.LockAsync("slot-7", CancellationToken.None);
                var claim = ledger.Claim("slot-7", "0123456789abcdef", 0);
                ledger.AddToClaim(claim, Samples.Identity("pi-1", "boot", 101), 10);
                entry.Complete(claim);
            }
            frozen.Freeze();
            await broker.PublishAsync("pi-1", 1, 10);
            await Eventually.TrueAsync(() => destination.Rows.Count == 10, () => string.Join(", ", replica.Health.Parts));
            Assert.True(replica.Health.IsReady);

            await broker.PublishAsync("pi-1", 96, 10);
            await Eventually.TrueAsync(() => Problem(replica, "intake slot-0") is not null, () => string.Join(", ", replica.Health.Parts));

            Assert.StartsWith(
                $"slot-7 (process {Environment.ProcessId} on host ",
                Problem(replica, "intake slot-0"),
                StringComparison.Ordinal
            );
            Assert.Equal(10, destination.Rows.Count);
        }

        // It was killed before it stored anything.
        await Eventually.TrueAsync(() => destination.Rows.Count == 20, () => string.Join(", ", replica.Health.Parts));
        Assert.Equal(
            [.. Enumerable.Range(1, 10).Select(number => (ulong)number), .. Enumerable.Range(96, 10).Select(number => (ulong)number)],
            destination.Rows.Select(row => row.Sequence).Order()
        );
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));
    }

    static string? Problem(Replica replica, string part) => replica.Health.Parts.SingleOrDefault(found => found.Key == part).Value;

    async Task<Replica> StartAsync() => await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink);
}
