using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A disk that cannot be written now is a state: the service says so and waits, and delivers what can be read.</summary>
public sealed class ForwarderDiskTests : IAsyncLifetime
{
    readonly TempDirectory temp = new();
    readonly Destination destination = new();
    PublishingBroker broker = null!;

    public async ValueTask InitializeAsync() => broker = await PublishingBroker.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        temp.Dispose();
    }

    [MountFact]
    public async Task A_restart_on_a_full_disk_delivers_the_backlog_and_takes_in_again_when_there_is_space()
    {
        using var disk = new SmallFileSystem(temp.File("small"), megabytes: 4);
        await MakeBacklogAsync(disk.Path);
        var ballast = disk.Fill();

        await using var replica = await StartAsync(disk.Path);
        await Eventually.TrueAsync(() => destination.Rows.Count == 40, () => $"{destination.Rows.Count} rows; {Parts(replica)}");
        File.Delete(ballast);
        await PublishAsync(41, 10);
        await Eventually.TrueAsync(() => destination.Rows.Count == 50, () => $"{destination.Rows.Count} rows; {Parts(replica)}");

        AssertOnce(50);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => Parts(replica));
    }

    [MountFact]
    public async Task A_restart_on_a_read_only_disk_delivers_the_backlog_says_what_is_wrong_and_takes_in_again_when_it_is_writable()
    {
        using var disk = new SmallFileSystem(temp.File("small"), megabytes: 4);
        await MakeBacklogAsync(disk.Path);
        Assert.True(disk.TryRemount(readOnly: true));

        await using var replica = await StartAsync(disk.Path);
        await Eventually.TrueAsync(() => destination.Rows.Count == 40, () => $"{destination.Rows.Count} rows; {Parts(replica)}");
        await Eventually.TrueAsync(() => Parts(replica).Contains("ead-only", StringComparison.Ordinal), () => Parts(replica));
        Assert.False(replica.Execution.IsCompleted);
        await PublishAsync(41, 10);
        Assert.True(disk.TryRemount(readOnly: false));
        await Eventually.TrueAsync(() => destination.Rows.Count == 50, () => $"{destination.Rows.Count} rows; {Parts(replica)}");

        AssertOnce(50);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => Parts(replica));
    }

    [MountFact]
    public async Task A_first_start_on_a_full_disk_waits_for_space()
    {
        using var disk = new SmallFileSystem(temp.File("small"), megabytes: 2);
        var ballast = disk.Fill();

        await using var replica = await StartAsync(disk.Path);
        await Eventually.TrueAsync(() => Parts(replica).Contains("space", StringComparison.Ordinal), () => Parts(replica));
        Assert.False(replica.Execution.IsCompleted);
        File.Delete(ballast);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => Parts(replica));
        await PublishAsync(1, 10);
        await Eventually.TrueAsync(() => destination.Rows.Count == 10, () => Parts(replica));

        AssertOnce(10);
    }

    [Fact]
    public async Task Slots_that_cannot_be_looked_at_end_no_replica_and_are_reported()
    {
        await using var replica = await StartAsync(temp.Path);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => Parts(replica));
        Directory.CreateDirectory(temp.File("slots/slot-7"));
        // It cannot be opened as a file.
        Directory.CreateDirectory(temp.File("slots/slot-7.lock"));

        await Eventually.TrueAsync(
            () => Parts(replica).Contains("the search for slots without an owner fails", StringComparison.Ordinal),
            () => Parts(replica)
        );
        await PublishAsync(1, 10);
        await Eventually.TrueAsync(() => destination.Rows.Count == 10, () => Parts(replica));
        Assert.False(replica.Execution.IsCompleted);
        Directory.Delete(temp.File("slots/slot-7.lock"));

        await Eventually.TrueAsync(() => replica.Health.IsReady && !Directory.Exists(temp.File("slots/slot-7")), () => Parts(replica));
    }

    /// <summary>Forty readings in the journal, none committed.</summary>
    async Task MakeBacklogAsync(string directory)
    {
        destination.HoldCommits = true;
        await using (var replica = await StartAsync(directory))
        {
            await Eventually.TrueAsync(() => replica.Health.IsReady, () => Parts(replica));
            await PublishAsync(1, 40);
            await Eventually.TrueAsync(() => replica.Metrics.StoredTotal == 40, () => Parts(replica));
        }
        Assert.Empty(destination.Rows);
        destination.HoldCommits = false;
    }

    Task<Replica> StartAsync(string directory) =>
        Replica.StartAsync(Replica.Options(directory, broker.Port), destination.CreateSink, waitUntilReady: false);

    Task PublishAsync(ulong first, int count) => broker.PublishAsync("pi", first, count);

    void AssertOnce(int count) =>
        Assert.Equal(Enumerable.Range(1, count).Select(number => (ulong)number), destination.Rows.Select(row => row.Sequence).Order());

    static string Parts(Replica replica) => string.Join(", ", replica.Health.Parts);
}
