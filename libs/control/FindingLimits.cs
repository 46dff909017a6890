namespace ThermalStreaming.Control;

/// <summary>From when on something is worth a finding, and until when.</summary>
static class FindingLimits
{
    /// <summary>A reading that has waited for longer is late.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A wait for the clock is a problem from here on. NTP answers seconds after the network is up; by default the agent waits ten minutes
    /// (CLOCK_PATIENCE), so half of it is left to help.
    /// </summary>
    public static readonly TimeSpan ClockWait = TimeSpan.FromMinutes(5);

    /// <summary>An error of the destination that is over is remembered for so long.</summary>
    public static readonly TimeSpan RecentError = TimeSpan.FromMinutes(10);

    /// <summary>A loss is urgent for so long. The alert ReadingsLost looks back as far.</summary>
    public static readonly TimeSpan RecentLoss = TimeSpan.FromDays(1);
}
