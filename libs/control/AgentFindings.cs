namespace ThermalStreaming.Control;

/// <summary>What an agent's status says is wrong. The console and <c>thermalctl status</c> both show this.</summary>
public static class AgentFindings
{
    const string ClockPart = "clock";

    const string SetClock = "sudo timedatectl set-ntp true, and let UDP port 123 out; docs/operations.md, Time.";

    /// <summary>The findings, in no particular order.</summary>
    public static IEnumerable<Finding> Of(AgentStatus agent)
    {
        var waits = agent.Clock == ClockState.Waiting;
        foreach (var finding in PartFindings.Of(agent.Info, error: null))
        {
            // The clock has a finding of its own.
            if (!waits || finding.Where != ClockPart)
                yield return finding;
        }
        if (waits)
            yield return WaitingClock(agent.ClockWaits?.ToTimeSpan());
        if (agent.Clock == ClockState.Unsynchronised)
            yield return new Finding(
                "clock",
                IsUrgent: false,
                ClockPart,
                "The machine's clock is not synchronised, so the times of its readings may be wrong; they carry the flag "
                    + "clock:Unsynchronised.",
                $"Give it network time: {SetClock}"
            );
        foreach (var sensor in agent.Sensors.Where(sensor => sensor.Problem.Length > 0))
            yield return new Finding(
                $"sensor {sensor.Id}",
                IsUrgent: true,
                $"sensor {sensor.Id}",
                FindingText.Sentence(sensor.Problem),
                $"Check its cable and supply (docs/hardware.md). ./thermalctl sensors test {sensor.Id} asks it again."
            );
        // Readings that wait for the clock are the clock's finding.
        if (!waits && agent.BacklogAge?.ToTimeSpan() is { } age && age > FindingLimits.Late)
            yield return new Finding(
                "backlog",
                IsUrgent: false,
                "",
                FindingText.Waiting(agent.BacklogReadings, "the broker", age),
                "They are safe on disk. They go when the broker is reached and a forwarder takes readings.",
                age
            );
    }

    static Finding WaitingClock(TimeSpan? waits) =>
        waits > FindingLimits.ClockWait
            ? new Finding(
                "clock",
                IsUrgent: true,
                ClockPart,
                $"The machine's clock has not been synchronised for {FindingText.Span(waits.Value)}: readings are held back on disk. If it "
                    + "is synchronised before CLOCK_PATIENCE ends, they get the right time; otherwise they are sent with the machine's time.",
                $"Give it network time: {SetClock}",
                waits
            )
            : new Finding(
                "clock",
                IsUrgent: false,
                ClockPart,
                "Readings are held back on disk until the machine's clock is synchronised, and will have the right time.",
                "Nothing, if the machine has just started or its clock was set: NTP does it within minutes.",
                waits
            );
}
