using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>A kernel whose time since the start goes with a clock of the test, and that says what the test wants.</summary>
sealed class FakeKernel(ManualClock clock) : Kernel
{
    readonly long created = clock.GetTimestamp();

    public bool? Synchronised { get; set; } = true;

    public string? Boot { get; set; } = "a0056a83-1b8e-44c5-a177-d639541ebd75";

    public double? Load { get; set; }

    /// <summary>Time since the machine's start when this was made.</summary>
    public TimeSpan UpBefore { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the machine does something else whenever it is asked for the time: it is busy.</summary>
    public TimeSpan Busy { get; set; }

    public override bool? IsClockSynchronised() => Synchronised;

    public (TimeSpan, TimeSpan)? Deviation { get; set; }

    public override (TimeSpan Offset, TimeSpan MaxError)? ClockDeviation() => Deviation;

    public override TimeSpan SinceBoot()
    {
        if (Busy > TimeSpan.Zero)
            clock.Advance(Busy);
        return UpBefore + clock.GetElapsedTime(created);
    }

    protected override string? ReadBootId() => Boot;

    public override double? LoadAverage() => Load;
}
