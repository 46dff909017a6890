namespace ThermalStreaming.Thermalctl;

/// <summary>
/// A container in Docker's list. <paramref name="State"/> is Docker's word: created, running, paused, restarting, removing, exited or dead.
/// </summary>
sealed record ContainerSummary(string Id, string[] Names, string State, Dictionary<string, string> Labels, PublishedPort[]? Ports = null)
{
    public string Name => Names.Length > 0 ? Names[0].TrimStart('/') : Id[..12];

    /// <summary>Its Compose service; empty for a container that Compose did not make.</summary>
    public string Service => Labels.GetValueOrDefault("com.docker.compose.service", "");

    /// <summary>Its number among the replicas of its service, from 1.</summary>
    public int Number => int.TryParse(Labels.GetValueOrDefault("com.docker.compose.container-number"), out var number) ? number : 0;

    public bool IsRunning => State == "running";
}
