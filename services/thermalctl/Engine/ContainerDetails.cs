namespace ThermalStreaming.Thermalctl;

/// <summary>The parts of Docker's description of a container that this program needs.</summary>
sealed record ContainerDetails(
    string Id,
    string Name,
    ContainerState State,
    HostSettings HostConfig,
    NetworkSettings? NetworkSettings = null
)
{
    /// <summary>The size at which Docker cuts its log; null if there is no limit.</summary>
    public string? LogLimit => HostConfig.LogConfig?.Config?.GetValueOrDefault("max-size");

    /// <summary>Its address in its first network; null if it has no network.</summary>
    public string? Address =>
        NetworkSettings?.Networks?.Values.Select(network => network.IPAddress).FirstOrDefault(address => !string.IsNullOrEmpty(address));
}
