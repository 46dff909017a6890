using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>What the console and <c>thermalctl status</c> say of an agent.</summary>
public sealed class AgentFindingsTests
{
    readonly AgentStatus status = new()
    {
        Info = new ServiceInfo { Service = "sensor-agent", Ready = true },
        Clock = ClockState.Synchronised,
    };

    [Fact]
    public void An_agent_that_is_well_has_none() => Assert.Empty(AgentFindings.Of(status));

    [Fact]
    public void A_clock_that_waits_is_no_problem_although_the_agent_is_not_ready()
    {
        Waits(TimeSpan.FromMinutes(2));

        var finding = Assert.Single(AgentFindings.Of(status));

        Assert.Equal(("clock", false, TimeSpan.FromMinutes(2)), (finding.Where, finding.IsUrgent, finding.Age));
        Assert.Contains("will have the right time", finding.What, StringComparison.Ordinal);
        Assert.DoesNotContain("may be wrong", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clock_that_waits_for_long_is_one_and_says_what_to_do()
    {
        Waits(TimeSpan.FromMinutes(6));
        status.BacklogReadings = 3_600;
        status.BacklogAge = Duration.FromTimeSpan(TimeSpan.FromMinutes(6));

        // The readings that wait are the clock's doing, and have no line of their own.
        var finding = Assert.Single(AgentFindings.Of(status));

        Assert.Equal(("clock", true), (finding.Where, finding.IsUrgent));
        Assert.StartsWith("The machine's clock has not been synchronised for 6 minutes", finding.What, StringComparison.Ordinal);
        Assert.Contains("timedatectl set-ntp true", finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_part_that_fails_beside_a_waiting_clock_is_not_hidden()
    {
        Waits(TimeSpan.FromMinutes(1));
        status.Info.Parts.Add(new Part { Name = "broker", Problem = "connection refused" });

        Assert.Contains(AgentFindings.Of(status), finding => finding is { Where: "broker", IsUrgent: true, What: "Connection refused." });
    }

    [Fact]
    public void A_clock_that_is_not_synchronised_is_a_remark()
    {
        status.Clock = ClockState.Unsynchronised;

        var finding = Assert.Single(AgentFindings.Of(status));

        Assert.Equal(("clock", false), (finding.Where, finding.IsUrgent));
        Assert.Contains("may be wrong", finding.What, StringComparison.Ordinal);
    }

    /// <summary>What it does not measure is lost; <c>sensors test</c> and <c>check</c> call that a failure too.</summary>
    [Fact]
    public void A_sensor_that_fails_is_urgent()
    {
        status.Sensors.Add(new Sensor { Id = "sgp30@1:58" });
        status.Sensors.Add(new Sensor { Id = "scd4x@1:62", Problem = "no answer" });

        var finding = Assert.Single(AgentFindings.Of(status));

        Assert.Equal(("sensor scd4x@1:62", true, "No answer."), (finding.Where, finding.IsUrgent, finding.What));
        Assert.Contains("./thermalctl sensors test scd4x@1:62", finding.Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(299, null)]
    [InlineData(301, "1 reading waits here for the broker, the oldest for 5 minutes.")]
    public void Readings_that_wait_for_the_broker_are_a_remark_once_they_are_late(int seconds, string? what)
    {
        status.BacklogReadings = 1;
        status.BacklogAge = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

        Assert.Equal(
            what is null ? [] : [(what, false)],
            AgentFindings.Of(status).Select(finding => ((string?)finding.What, finding.IsUrgent))
        );
    }

    void Waits(TimeSpan since)
    {
        status.Clock = ClockState.Waiting;
        status.ClockWaits = Duration.FromTimeSpan(since);
        status.Info.Ready = false;
        status.Info.Parts.Add(new Part { Name = "clock", Problem = "The machine's clock is not synchronised yet." });
    }
}
