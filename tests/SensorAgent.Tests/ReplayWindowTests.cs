using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class ReplayWindowTests
{
    static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    readonly ManualClock clock = new();
    readonly ReplayWindow window;
    long offset;
    long released;

    public ReplayWindowTests() => window = new ReplayWindow(Window, clock);

    /// <summary>One acknowledgement a second.</summary>
    void Run(TimeSpan time)
    {
        for (var end = clock.GetTimestamp() + time.Ticks; clock.GetTimestamp() < end; )
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            if (window.Acknowledged(++offset) is { } now)
            {
                Assert.True(now > released);
                released = now;
            }
        }
    }

    [Fact]
    public void Releases_what_was_acknowledged_a_window_ago_and_nothing_younger()
    {
        window.Connected();
        Run(TimeSpan.FromMinutes(20));

        // An offset a second: the age of the youngest one released, in seconds.
        Assert.InRange(offset - released, 300, 300 + 11);
    }

    [Fact]
    public void Releases_nothing_in_the_first_window()
    {
        window.Connected();
        Run(Window - TimeSpan.FromSeconds(1));

        Assert.Equal(0, released);
    }

    [Fact]
    public void After_a_loss_everything_that_is_left_waits_for_a_whole_window_again_however_long_the_outage_was()
    {
        window.Connected();
        Run(TimeSpan.FromMinutes(10));
        var atLoss = released;
        window.Lost();
        clock.Advance(TimeSpan.FromHours(2));

        window.Connected();
        offset = atLoss;
        Run(Window - TimeSpan.FromSeconds(1));

        Assert.Equal(atLoss, released);
        Run(TimeSpan.FromMinutes(1));
        Assert.True(released > atLoss);
    }

    [Fact]
    public void A_connection_that_never_lasts_does_not_hold_readings_for_ever()
    {
        for (var i = 0; i < 60; i++)
        {
            window.Connected();
            offset = Math.Max(offset, released);
            Run(TimeSpan.FromMinutes(2));
            window.Lost();
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        // 12 windows of connected time are an hour, and an offset is acknowledged each second of it.
        Assert.InRange(offset - released, 3_500, 3_700);
    }

    [Fact]
    public void The_wall_clock_has_no_part_in_it()
    {
        window.Connected();
        Run(TimeSpan.FromMinutes(1));
        clock.Step(TimeSpan.FromHours(1));
        Run(TimeSpan.FromMinutes(1));

        Assert.Equal(0, released);
    }
}
