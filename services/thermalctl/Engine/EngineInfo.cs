namespace ThermalStreaming.Thermalctl;

/// <summary>What this program wants of Docker Engine's answer to <c>/info</c>.</summary>
/// <param name="DockerRootDir">Where volumes and images are, on the engine's machine.</param>
sealed record EngineInfo(string DockerRootDir);
