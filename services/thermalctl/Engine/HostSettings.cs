namespace ThermalStreaming.Thermalctl;

/// <summary>A container's settings on the host.</summary>
sealed record HostSettings(LogSettings? LogConfig = null);
