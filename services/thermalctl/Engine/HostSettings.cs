namespace ThermalStreaming.Thermalctl;

/// <summary>What the machine gives a container.</summary>
sealed record HostSettings(LogSettings? LogConfig = null);
