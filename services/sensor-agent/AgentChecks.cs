using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>What <c>check</c> tests on the agent's machine: its directory, its broker, and where its figures come from.</summary>
static class AgentChecks
{
    public static IEnumerable<CheckStep> Steps(AgentOptions options, IServiceProvider services)
    {
        var clock = services.GetRequiredService<TimeProvider>();
        foreach (var step in JournalCheck.Steps(options.DataDirectory, options.Journal))
            yield return step;
        if (options.Cells.IsUsed)
            yield return new CheckStep("cell", _ => Task.FromResult(Cell(options.Cells)));
        // Needs the same right as readings do, and no forwarder reads this topic.
        foreach (var step in BrokerCheck.Steps(options.Mqtt, clock, Topics.Status(options.DeviceId)))
            yield return step;
        if (options.CertificatePort > 0)
            yield return BrokerCertificate.CheckStep(options.Mqtt.Host, options.CertificatePort, options.Mqtt.ConnectTimeout, clock);
        var survey = new SensorSurvey(
            options.Sensors,
            services.GetRequiredService<I2cBuses>(),
            services.GetRequiredService<RunningService>(),
            clock
        );
        yield return new CheckStep("sensors", cancellationToken => SensorCheck.RunAsync(options, survey, cancellationToken));
        yield return new CheckStep(
            "clock",
            cancellationToken =>
                ClockCheck.RunAsync(services.GetRequiredService<Kernel>(), services.GetRequiredService<RunningService>(), cancellationToken)
        );
        yield return new CheckStep("power", _ => Task.FromResult(PiPower.Check(SystemMetrics.WithTemperatures(options.HostSys))));
        yield return new CheckStep("system metrics", _ => Task.FromResult(Metrics(services)));
        yield return new CheckStep("network identity", _ => Task.FromResult(Network(options, clock)));
    }

    static CheckResult Cell(CellOptions cells) =>
        CheckResult.Ok(
            cells.Home == cells.Target
                ? $"cell {cells.Home} of {cells.Map.Count}, {(cells.IsChosen ? "chosen by command" : "as the settings say")}"
                : $"moves from cell {cells.Home} to cell {cells.Target} of {cells.Map.Count}: cells status shows how far it is"
        );

    static CheckResult Metrics(IServiceProvider services)
    {
        var system = services.GetRequiredService<SystemMetrics>();
        var reading = new ThermalReading();
        system.AddTo(reading);
        List<string> missing = [];
        // The share of processor time needs two samples; here it is enough that the file can be read.
        if (!File.Exists("/proc/stat"))
            missing.Add("processor time (/proc/stat)");
        if (!reading.HasMemoryPercent)
            missing.Add("memory (/proc/meminfo)");
        if (!reading.HasDiskFreeMb)
            missing.Add("free disk space");
        if (missing.Count > 0)
            return CheckResult.Failed(
                $"not available: {string.Join(", ", missing)}",
                "The kernel's files are not mounted here.",
                "Run on Linux with /proc mounted."
            );
        var detail = FormattableString.Invariant($"memory {reading.MemoryPercent:0.0} %, disk {reading.DiskFreeMb} MB free");
        return reading.HasCpuTemperatureC
            ? CheckResult.Ok(
                FormattableString.Invariant($"processor {reading.CpuTemperatureC:0.0} °C ({system.TemperaturePath}), {detail}")
            )
            : CheckResult.Warning(
                $"{detail}; no processor temperature",
                "The kernel has no sensor for it (virtual machines have none), or /sys is not mounted in this container.",
                "Nothing to do on a virtual machine: the value stays empty. On a Pi, run the container with its usual /sys."
            );
    }

    static CheckResult Network(AgentOptions options, TimeProvider clock)
    {
        var host = new HostIdentity(options.HostNet, options.HostSys).Read(Environment.MachineName, clock.GetUtcNow());
        var detail =
            $"{host.Hostname}, {(host.IpAddress.Length > 0 ? host.IpAddress : "no address")}, "
            + $"{(host.MacAddress.Length > 0 ? host.MacAddress : "no MAC")}";
        if ((options.HostNet == "/proc/net") != (options.HostSys == "/sys"))
        {
            return CheckResult.Warning(
                detail,
                "Only one of HOST_NET and HOST_SYS is the machine's, so address and MAC may be of different interfaces.",
                "Mount the machine's /proc/1/net/route and fib_trie and /sys/class/net and /sys/devices read-only, as compose.yaml does, "
                    + "and set both."
            );
        }
        return host.IpAddress.Length > 0
            ? CheckResult.Ok(detail)
            : CheckResult.Warning(
                detail,
                "There is no default route.",
                "Connect the machine to its network; in a container set HOST_NET and HOST_SYS."
            );
    }
}
