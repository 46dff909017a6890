using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

public sealed class SensorLinkTests
{
    /// <summary>A clock whose timers fire up to 4 ms too early, as those of .NET on Linux do.</summary>
    sealed class HastyClock(ManualClock clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateTimer(
                callback,
                state,
                dueTime > TimeSpan.FromMilliseconds(4) ? dueTime - TimeSpan.FromMilliseconds(4) : TimeSpan.FromMilliseconds(0.5),
                period
            );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6.3)]
    [InlineData(500)]
    public async Task A_wait_is_never_shorter_than_the_data_sheet_says(double milliseconds)
    {
        var clock = new ManualClock();
        using var stand = new SensorStand();
        var link = new SensorLink("icp10125@1:63", 0x63, stand.Worker, new HastyClock(clock));
        var began = clock.GetTimestamp();
        var wait = link.WaitAsync(milliseconds, default);

        while (!wait.IsCompleted)
        {
            if (clock.NextDue is { } due)
                clock.Advance(due);
            else
                await Task.WhenAny(wait, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None));
        }

        Assert.InRange(clock.GetElapsedTime(began).TotalMilliseconds, milliseconds, milliseconds + 5);
        await wait;
    }
}
