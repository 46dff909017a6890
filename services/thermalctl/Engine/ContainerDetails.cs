namespace ThermalStreaming.Thermalctl;

/// <summary>What this program wants of Docker's description of a container.</summary>
sealed record ContainerDetails(
    string Id,
    string Name,
    ContainerState State,
    HostSettings HostConfig,
    NetworkSettings? NetworkSettings = null
)
{
    /// <summary>The size at which Docker cuts its log; null where there is no limit.</summary>
    public string? LogLimit => HostConfig.LogConfig?.Config?.GetValueOrDefault("max-size");

    /// <summary>Its address in the first network that it is in; null in none.</summary>
    public string? Address =>
        NetworkSettings?.Networks?.Values.Select(network => network.IPAddress).FirstOrDefault(address => !string.IsNullOrEmpty(address));
}
