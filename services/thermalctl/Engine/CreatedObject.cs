namespace ThermalStreaming.Thermalctl;

/// <summary>Docker Engine's answer to the creation of a container or a command.</summary>
sealed record CreatedObject(string Id);
