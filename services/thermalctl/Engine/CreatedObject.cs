namespace ThermalStreaming.Thermalctl;

/// <summary>Docker Engine's answer when it made a container or a command.</summary>
sealed record CreatedObject(string Id);
