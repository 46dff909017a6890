using System.Diagnostics.Metrics;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>How far the machine's clock is off, as a metric.</summary>
public sealed class ClockMetricsTests
{
    [Fact]
    public void The_offset_is_absent_while_the_clock_follows_no_other()
    {
        using var meter = new Meter("clock-metrics-tests");
        using var stand = new ClockStand();
        stand.StartAgent();
        new AgentMetrics(meter, new StatusPage(), new RequestMetrics(meter)).Observe(stand.ReadingClock);

        Assert.Empty(Read(meter));

        stand.Kernel.Deviation = (TimeSpan.FromMilliseconds(-20), TimeSpan.FromMilliseconds(350));

        Assert.Equal([("thermal.agent.clock.max_error", 0.35), ("thermal.agent.clock.offset", -0.02)], Read(meter));
    }

    static List<(string Name, double Value)> Read(Meter meter)
    {
        List<(string, double)> found = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => found.Add((instrument.Name, value)));
        listener.Start();
        listener.RecordObservableInstruments();
        return [.. found.Order()];
    }
}
