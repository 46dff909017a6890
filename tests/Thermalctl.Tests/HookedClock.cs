namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The system's time, which tells a test each time it is asked for: a place to interrupt work at.</summary>
sealed class HookedClock : TimeProvider
{
    int calls;

    /// <summary>Called when a timestamp is asked for, with how often that was.</summary>
    public Action<int> OnCall { get; set; } = _ => { };

    /// <summary>Called when the time of day is asked for.</summary>
    public Action OnTimeOfDay { get; set; } = () => { };

    /// <summary>Added to the time of day.</summary>
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow()
    {
        OnTimeOfDay();
        return System.GetUtcNow() + Offset;
    }

    public override long GetTimestamp()
    {
        OnCall(++calls);
        return System.GetTimestamp();
    }
}
