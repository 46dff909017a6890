namespace ThermalStreaming.Thermalctl;

/// <summary>The log driver of a container and its options.</summary>
sealed record LogSettings(Dictionary<string, string>? Config = null);
