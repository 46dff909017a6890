using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>How long batches take to be committed, and how many readings that are.</summary>
public sealed class UncommittedBatchesTests : IDisposable
{
    readonly FakeTimeProvider clock = new();
    readonly Meter meter = new("commit-latency-tests");
    readonly MeterListener listener = new();
    readonly List<double> latencies = [];
    long committed;
    readonly UncommittedBatches batches;

    public UncommittedBatchesTests()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>(
            (instrument, value, _, _) =>
            {
                if (instrument.Name == "thermal.forwarder.commit.latency")
                    latencies.Add(value);
            }
        );
        listener.SetMeasurementEventCallback<long>(
            (instrument, value, _, _) => committed += instrument.Name == "thermal.forwarder.readings.committed" ? value : 0
        );
        listener.Start();
        batches = new UncommittedBatches(new ForwarderMetrics(meter, clock), clock);
    }

    public void Dispose()
    {
        listener.Dispose();
        meter.Dispose();
    }

    [Fact]
    public void It_runs_from_the_first_attempt_to_the_commit()
    {
        batches.Attempt();
        Pass(10);
        batches.Attempt();
        Pass(1);
        batches.Accepted(100, 70);
        batches.Attempt();
        batches.Accepted(200, 70);
        Pass(5);

        batches.Committed(100);
        Pass(1);
        batches.Committed(200);

        Assert.Equal([16, 6], latencies);
        Assert.Equal(140, committed);
    }

    [Fact]
    public void A_commit_in_the_middle_of_a_batch_does_not_end_it()
    {
        batches.Attempt();
        batches.Accepted(100, 70);
        Pass(2);

        batches.Committed(50);

        Assert.Empty(latencies);
        Assert.Equal(0, committed);
    }

    [Fact]
    public void What_was_sent_before_a_reopening_is_measured_by_its_repetition_alone()
    {
        batches.Attempt();
        batches.Accepted(100, 70);
        Pass(60);
        batches.Forget();
        batches.Attempt();
        batches.Accepted(70, 70);
        Pass(3);

        batches.Committed(70);

        Assert.Equal([3], latencies);
        Assert.Equal(70, committed);
    }

    void Pass(double seconds) => clock.Advance(TimeSpan.FromSeconds(seconds));
}
