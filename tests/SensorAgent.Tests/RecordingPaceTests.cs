using Microsoft.Extensions.Configuration;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>When the next recorded reading is due.</summary>
public sealed class RecordingPaceTests
{
    readonly ManualClock clock = new();

    [Fact]
    public void Readings_out_of_order_wait_no_longer_and_a_new_recording_starts_at_once()
    {
        var pace = new RecordingPace(1, TimeSpan.FromSeconds(5), clock);
        long[] seconds = [100_000, 100_001, 100_000, 100_002, 10, 11];

        Assert.Equal([0, 1, 1, 2, 2, 3], seconds.Select(second => pace.Next(second * 1_000_000).TotalSeconds));
        // A recording that was held up for an hour goes on at its own pace, and leaves nothing out.
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.Zero, pace.Until(pace.Next(11_500_000)));
        Assert.Equal(1, pace.Until(pace.Next(12_500_000)).TotalSeconds, 3);
        // What has no time, and a round that begins again, comes a second later.
        pace.BeginAgain();
        Assert.Equal(2, pace.Until(pace.Next(1_000_000)).TotalSeconds, 3);
        Assert.Equal(3, pace.Until(pace.Next(null)).TotalSeconds, 3);
    }
}
