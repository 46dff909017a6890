namespace ThermalStreaming.Thermalctl;

/// <summary>A container's place in a network.</summary>
/// <param name="IPAddress">Empty while the container is not running.</param>
sealed record NetworkEndpoint(string? IPAddress = null);
