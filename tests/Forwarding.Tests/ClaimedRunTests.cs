using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Readings of one stream that are claimed one after the other make one run.</summary>
public sealed class ClaimedRunTests
{
    readonly StoredReadings readings = new();
    readonly LedgerClaim mine = new("slot-0", "epoch", 0, "process 1"),
        other = new("slot-1", "epoch", 0, "process 2");

    [Fact]
    public void Consecutive_readings_join()
    {
        var stream = Stream("boot");
        for (ulong number = 5; number < 105; number++)
            StoredReadings.Claim(mine, stream, number, number);

        Assert.Equal((5UL, 104UL), Bounds(Assert.Single(mine.Runs)));
        Assert.Same(mine, stream.FindClaim(50, 50));
        Assert.Null(stream.FindClaim(105, 105));
        Assert.Null(stream.FindClaim(4, 4));
    }

    [Fact]
    public void Others_do_not()
    {
        var (stream, neighbour) = (Stream("boot"), Stream("another boot"));
        StoredReadings.Claim(mine, stream, 1, 3);
        // A gap; another claim's; another stream's; backwards; and beyond the highest number there is none.
        StoredReadings.Claim(mine, stream, 5, 6);
        StoredReadings.Claim(other, stream, 7, 7);
        StoredReadings.Claim(mine, stream, 8, 8);
        StoredReadings.Claim(mine, neighbour, 9, 9);
        StoredReadings.Claim(mine, stream, 4, 4);
        StoredReadings.Claim(mine, stream, ulong.MaxValue, ulong.MaxValue);
        StoredReadings.Claim(mine, stream, 0, 0);

        (ulong, ulong)[] expected = [(1, 3), (5, 6), (8, 8), (9, 9), (4, 4), (ulong.MaxValue, ulong.MaxValue), (0, 0)];
        Assert.Equal(expected, mine.Runs.Select(Bounds));
        Assert.Equal((7UL, 7UL), Bounds(Assert.Single(other.Runs)));
        Assert.Same(other, stream.FindClaim(7, 7));
    }

    [Fact]
    public void The_end_of_a_claim_stores_all_of_it_and_leaves_the_others()
    {
        var stream = Stream("boot");
        StoredReadings.Claim(mine, stream, 1, 1);
        StoredReadings.Claim(mine, stream, 2, 2);
        StoredReadings.Claim(other, stream, 3, 3);
        StoredReadings.Claim(mine, stream, 4, 4);
        readings.End(mine, isStored: true);

        Assert.True(stream.Stored.Overlaps(1, 1) && stream.Stored.Overlaps(2, 2) && stream.Stored.Overlaps(4, 4));
        Assert.False(stream.Stored.Overlaps(3, 3));
        Assert.Same(other, stream.FindClaim(1, 4));
        readings.End(other, isStored: false);
        Assert.False(stream.IsClaimed);
    }

    StoredStream Stream(string bootId) =>
        readings.Define(new StreamKey(new ReadingIdentity("pi", bootId, ReadingKind.Thermal, 1)), readings.NextNumber);

    static (ulong First, ulong Last) Bounds(ClaimedRun run) => (run.First, run.Last);
}
