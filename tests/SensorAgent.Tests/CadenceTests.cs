using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class CadenceTests
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly ManualClock clock = new();

    [Fact]
    public void Ticks_at_whole_intervals_even_when_each_tick_comes_late()
    {
        var cadence = new Cadence(Second, Second, patience: 5 * Second, clock);
        for (var i = 1; i <= 100; i++)
        {
            var tick = cadence.WaitAsync(default);
            Assert.False(tick.IsCompleted);
            // 0.3 s of work before each wait must not add up.
            clock.Advance(clock.NextDue!.Value);
            Assert.True(tick.IsCompletedSuccessfully);
            Assert.Equal(i * Second, clock.GetElapsedTime(0));
            clock.Advance(0.3 * Second);
        }
    }

    [Fact]
    public void Catches_up_what_was_missed_within_its_patience()
    {
        var cadence = new Cadence(Second, Second, patience: 5 * Second, clock);
        clock.Advance(3.5 * Second);

        Assert.True(cadence.WaitAsync(default).IsCompleted);
        Assert.True(cadence.WaitAsync(default).IsCompleted);
        Assert.True(cadence.WaitAsync(default).IsCompleted);
        Assert.False(cadence.WaitAsync(default).IsCompleted);
        Assert.Equal(0.5 * Second, clock.NextDue);
    }

    [Fact]
    public void Leaves_out_what_was_missed_beyond_it_and_keeps_its_phase()
    {
        var cadence = new Cadence(Second, Second, patience: 5 * Second, clock);
        clock.Advance(3600.5 * Second);

        var next = cadence.WaitAsync(default);

        Assert.False(next.IsCompleted);
        Assert.Equal(0.5 * Second, clock.NextDue);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_step_of_the_wall_clock_changes_nothing(int hours)
    {
        var cadence = new Cadence(Second, Second, patience: 5 * Second, clock);
        var first = cadence.WaitAsync(default);
        clock.Step(TimeSpan.FromHours(hours));

        Assert.False(first.IsCompleted);
        clock.Advance(Second);
        Assert.True(first.IsCompleted);
        Assert.False(cadence.WaitAsync(default).IsCompleted);
        Assert.Equal(Second, clock.NextDue);
    }

    [Fact]
    public void Stops_at_once_when_asked_to()
    {
        using var stop = new CancellationTokenSource();
        var cadence = new Cadence(TimeSpan.Zero, Second, patience: 5 * Second, clock);
        stop.Cancel();

        Assert.True(cadence.WaitAsync(stop.Token).IsCanceled);
        Assert.True(cadence.WaitAsync(stop.Token).IsCanceled);
    }
}
