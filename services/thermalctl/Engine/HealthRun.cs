namespace ThermalStreaming.Thermalctl;

/// <summary>One run of a container's health check.</summary>
sealed record HealthRun(string Output);
