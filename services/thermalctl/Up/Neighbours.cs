namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Before Engine 28, a machine in the same network segment can send packets straight to a port that is published on 127.0.0.1.
/// </summary>
static class Neighbours
{
    const int FirstSafeEngine = 28;

    public static async Task WarnAsync(DockerEngine docker, ComposeProject project, Narrator narrator, CancellationToken cancellationToken)
    {
        var version = await docker.VersionAsync(cancellationToken);
        var ports = (await docker.ContainersAsync(project.Name, cancellationToken))
            .SelectMany(container => container.Ports ?? [])
            .Where(port => port is { IP: "127.0.0.1", PublicPort: > 0 })
            .Select(port => port.PublicPort)
            .Distinct()
            .Order()
            .ToList();
        if (version.Number.Major >= FirstSafeEngine || ports.Count == 0)
            return;
        narrator.Warn(
            $"Docker Engine {version.Version} lets other machines of the same network reach ports on 127.0.0.1 "
                + $"({string.Join(' ', ports)}). "
                + "The demo has no real data; in a network that you do not trust, upgrade to Engine 28"
        );
    }
}
