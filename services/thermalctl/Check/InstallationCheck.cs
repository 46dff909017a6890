using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Tests the whole installation: first the machine, then every container and service and what it depends on. Changes nothing.
/// </summary>
sealed class InstallationCheck(DockerEngine docker, HostView host, CheckReport report, TimeProvider clock)
{
    /// <summary>
    /// Runs every step. <paramref name="compose"/> is the version of Compose; with <paramref name="probe"/> a row is also sent to
    /// Snowflake.
    /// </summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string compose, ReadSettings settings, bool probe, CancellationToken cancellationToken)
    {
        report.Head("this machine");
        report.Add("time", MachineCheck.Time(host, clock));
        try
        {
            if (await MachineAsync(compose, settings, cancellationToken) is { } project)
                await ServicesAsync(project, probe, cancellationToken);
        }
        catch (EngineException e)
        {
            report.Add("Docker", CheckResult.Failed("does not answer", e.Message, "sudo systemctl enable --now docker, or ./up"));
        }
        return report.HasFailed ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <returns>The settings; null if nothing more can be checked.</returns>
    async Task<ComposeProject?> MachineAsync(string compose, ReadSettings settings, CancellationToken cancellationToken)
    {
        report.Add("Docker", MachineCheck.Engine(await docker.VersionAsync(cancellationToken)));
        report.Add("Compose", MachineCheck.Compose(compose));
        if (report.HasFailed)
            return null;
        var root = (await docker.InfoAsync(cancellationToken)).DockerRootDir;
        report.Add("disk", MachineCheck.Disk(host, root));
        report.Add("free space", MachineCheck.FreeSpace(root, host.FreeMebibytes));
        if (settings.Project is not { } project)
        {
            report.Add("settings", CheckResult.Failed(settings.Problem, "Compose cannot use the Compose files or .env.", settings.Fix));
            return null;
        }
        var destinations = project.HasStandIns ? "local stand-ins for Snowflake and S3" : "real accounts";
        report.Add("settings", CheckResult.Ok($"readable; {destinations}"));
        if (SettingsSources.Of(project) is { } sources)
            report.Add(".env", UnreadSettings.Judge(sources));
        report.Add("I2C", MachineCheck.Sensors(host, project));
        return project;
    }

    async Task ServicesAsync(ComposeProject project, bool probe, CancellationToken cancellationToken)
    {
        var containers = await docker.ContainersAsync(project.Name, cancellationToken);
        if (containers.Count == 0)
        {
            report.Add("services", CheckResult.Failed("none was started", "There is no container of this project.", "./up"));
            return;
        }
        foreach (var service in project.Services)
            await ContainersAsync(project, service, [.. containers.Where(container => container.Service == service)], cancellationToken);
        await SessionsAsync(containers, cancellationToken);
        await ServiceCheck.RunAsync(docker, project, containers, report, probe, cancellationToken);
    }

    async Task ContainersAsync(
        ComposeProject project,
        string service,
        IReadOnlyList<ContainerSummary> containers,
        CancellationToken cancellationToken
    )
    {
        if (containers.Count == 0 && project.ScaleOf(service) != 0)
            report.Add(service, CheckResult.Failed("has no container", "It was never started, or was removed.", "./up"));
        foreach (var container in containers)
        {
            var details = await docker.InspectAsync(container.Id, cancellationToken);
            var isWell = details.State is { Status: "running" } or { Status: "exited", ExitCode: 0 };
            var log = isWell ? [] : await docker.LogAsync(container.Id, 1, cancellationToken);
            report.Add(container.Name, ContainerCheck.Judge(service, details.State, log.Count > 0 ? log[^1] : ""));
            if (details.LogLimit is null && !ContainerCheck.Ends(service))
            {
                report.Add(
                    $"{container.Name} logs",
                    CheckResult.Warning(
                        "have no size limit",
                        "They grow until the disk is full.",
                        "start it with the project's compose files: ./up --no-build"
                    )
                );
            }
        }
    }

    /// <summary>Sessions of forwarders that nobody connects to, as the broker found them at its start.</summary>
    async Task SessionsAsync(IReadOnlyList<ContainerSummary> containers, CancellationToken cancellationToken)
    {
        foreach (var broker in containers.Where(container => container is { Service: "mosquitto", IsRunning: true }))
        {
            var answer = await docker.ExecuteAsync(broker.Id, ["broker", "orphans"], cancellationToken);
            foreach (var line in answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                // snowpipe-forwarder-0123abcd-slot-0 20
                var (session, held) = line.Split(' ', 2) is [var first, var second] ? (first, second) : (line, "0");
                var identity = session.Split("-forwarder-", 2)[^1].Split('-')[0];
                report.Add(
                    "broker session",
                    CheckResult.Warning(
                        $"nobody connects as {session}; the broker holds about {held} messages for it",
                        "It belongs to an earlier identity of this installation, whose volumes were lost. "
                            + "The broker deletes it two months after its last connection.",
                        $"docker compose run --rm --no-deps setup setup adopt {identity} && docker compose restart"
                    )
                );
            }
        }
    }
}
