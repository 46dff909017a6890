using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent;

/// <summary>The step <c>clock</c> of <c>check</c>: the running agent's view of the machine's clock, or the kernel's.</summary>
static class ClockCheck
{
    /// <summary>How to get a synchronised clock.</summary>
    public const string Fix =
        "On the machine: timedatectl, then sudo timedatectl set-ntp true, and let UDP port 123 out; without Internet name a time server of "
        + "your network in /etc/systemd/timesyncd.conf. chrony needs the line rtcsync in chrony.conf";

    public static async Task<CheckResult> RunAsync(Kernel kernel, RunningService service, CancellationToken cancellationToken)
    {
        var status = await service.StatusAsync(cancellationToken);
        var said = status is { } answer && answer.TryGetProperty("clock", out var clock) ? clock.GetString() : null;
        return Enum.TryParse<ClockSynchronisation>(said, out var state) ? Judge(state) : Judge(Of(kernel.IsClockSynchronised()));
    }

    internal static CheckResult Judge(ClockSynchronisation state) =>
        state switch
        {
            ClockSynchronisation.Synchronised => CheckResult.Ok("synchronised"),
            ClockSynchronisation.Waiting => CheckResult.Warning(
                "not synchronised yet: readings wait for it, at most CLOCK_PATIENCE",
                "The machine has just started, or its clock was set by hand; readings are kept and get the right time.",
                Fix
            ),
            ClockSynchronisation.Unsynchronised => CheckResult.Warning(
                "not synchronised: readings carry the machine's time as it is, and clock:Unsynchronised in quality",
                "No NTP server has been reached since the machine started, or the clock was set by hand since.",
                Fix
            ),
            _ => CheckResult.Warning(
                "the kernel does not say whether it is synchronised; readings carry the machine's time as it is",
                "The kernel does not answer (adjtimex). Engines before 20.10 do not let containers ask.",
                "timedatectl shows it; upgrade Docker Engine"
            ),
        };

    static ClockSynchronisation Of(bool? isSynchronised) =>
        isSynchronised switch
        {
            true => ClockSynchronisation.Synchronised,
            false => ClockSynchronisation.Unsynchronised,
            null => ClockSynchronisation.Unknown,
        };
}
