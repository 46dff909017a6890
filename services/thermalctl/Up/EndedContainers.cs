using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Containers that ended although they should run: waiting for them is pointless.</summary>
sealed class EndedContainers(RunningProject project, Narrator narrator)
{
    const int ShownLines = 8;

    /// <summary>Shows the last log lines of the first such container, and gives up because of it.</summary>
    /// <exception cref="FailureException">There is such a container.</exception>
    public async Task ThrowAsync(IEnumerable<ServiceContainer> replicas, CancellationToken cancellationToken)
    {
        if (replicas.FirstOrDefault(replica => replica.HasFailed) is not { } ended)
            return;
        var (service, code) = (ended.Service, ended.State.ExitCode);
        var lines = await project.LogAsync(ended.Id, ShownLines, cancellationToken);
        foreach (var line in lines)
            narrator.Quote(service, line);
        var last = lines.Count > 0 ? lines[^1] : "";
        throw code == ExitCodes.BadConfiguration
            ? new FailureException(
                $"{service} does not accept its settings",
                last.Length > 0 ? last : "Its exit code is 78",
                "correct .env (see .env.example), then ./up again"
            )
            : new FailureException(
                $"{service} does not stay up (exit code {code})",
                $"Its last log line: {(last.Length > 0 ? last : "none")}",
                $"docker compose logs {service}; docker compose run --rm {service} check"
            );
    }
}
