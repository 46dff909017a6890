namespace ThermalStreaming.Thermalctl;

/// <summary>The parts of Docker Engine's answer to <c>/info</c> that this program needs.</summary>
/// <param name="DockerRootDir">Directory of volumes and images, on the engine's machine.</param>
sealed record EngineInfo(string DockerRootDir);
