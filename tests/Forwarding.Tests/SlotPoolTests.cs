namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A replica that opens and closes slots by itself.</summary>
public sealed class SlotPoolTests(ITestOutputHelper output) : ForwarderTest(output)
{
    static readonly TimeSpan second = TimeSpan.FromSeconds(1);
    static readonly ScalingPace quick = new(Look: second / 20, Behind: second / 5, Patience: second, Calm: second);

    volatile bool isSlow = true;

    string[] SlotsOnDisk => [.. Directory.GetDirectories(directory.File("slots")).Select(path => Path.GetFileName(path)!).Order()];

    [Fact]
    public async Task A_slot_is_added_while_one_cannot_keep_up_and_retired_when_it_can_and_every_reading_is_stored_once()
    {
        await using var replica = await StartAsync(least: 1, most: 2);

        var published = await PublishUntilAsync(() => SlotsOnDisk.Length == 2);
        isSlow = false;
        // Both take in what comes from now on.
        await PublishManyAsync("pi-2", 50, 4);
        await DeliveredAsync(published + 200);
        await Eventually.TrueAsync(() => SlotsOnDisk.SequenceEqual(["slot-0"]), () => string.Join(", ", SlotsOnDisk), seconds: 60);
        await PublishManyAsync("pi-3", 10, 4);
        await DeliveredAsync(published + 240);

        AssertOnce(("pi-1", 1, (ulong)published), ("pi-2", 1, 200), ("pi-3", 1, 40));
        Assert.True(replica.Health.IsReady, string.Join(", ", replica.Health.Parts));
        Assert.False(replica.Execution.IsCompleted);
    }

    /// <summary>SLOTS=1 is what it always was.</summary>
    [Fact]
    public async Task One_number_stays_one_number()
    {
        await using var replica = await StartAsync(least: 1, most: 1);
        var published = 0;
        var looks = 0;

        // Late, and ever later, for several times as long as another slot would take.
        await PublishUntilAsync(
            () => replica.Figure("thermal.forwarder.backlog.readings") > 2000 && ++looks > 20,
            count => published = count
        );

        Assert.Equal(["slot-0"], SlotsOnDisk);
        Assert.True(published > 0);
    }

    /// <summary>A restart in between: the slot that had been added is adopted.</summary>
    [Fact]
    public async Task What_an_added_slot_holds_outlives_the_replica()
    {
        int published;
        await using (await StartAsync(least: 1, most: 2))
            published = await PublishUntilAsync(() => SlotsOnDisk.Length == 2);

        isSlow = false;
        await using var again = await StartAsync(least: 1, most: 1);
        await DeliveredAsync(published);
        await Eventually.TrueAsync(() => SlotsOnDisk.SequenceEqual(["slot-0"]), () => string.Join(", ", SlotsOnDisk), seconds: 60);

        AssertOnce(("pi-1", 1, (ulong)published));
    }

    Task<Replica> StartAsync(int least, int most) =>
        Replica.StartAsync(
            Replica.Options(directory.Path, broker.Port, least, mostSlots: most, pace: quick),
            slot => new SlowSink(destination.CreateSink(slot), () => isSlow)
        );

    /// <summary>Publishes more than one slot can deliver, without a pause.</summary>
    /// <returns>How many readings.</returns>
    async Task<int> PublishUntilAsync(Func<bool> condition, Action<int>? tell = null)
    {
        const int Readings = 5;
        var count = 0;
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < 60 * second, $"{count} readings, {string.Join(", ", SlotsOnDisk)}");
            await PublishAsync("pi-1", (ulong)count + 1, Readings);
            count += Readings;
            tell?.Invoke(count);
        }
        return count;
    }
}
