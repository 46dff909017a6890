namespace ThermalStreaming.Thermalctl;

/// <summary>The networks that a container is in, by name.</summary>
sealed record NetworkSettings(Dictionary<string, NetworkEndpoint>? Networks = null);
