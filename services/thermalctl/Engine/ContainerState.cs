namespace ThermalStreaming.Thermalctl;

/// <summary>The state of a container.</summary>
/// <param name="Status">Docker's word: created, running, paused, restarting, removing, exited or dead.</param>
/// <param name="ExitCode">Exit code of its last process; 0 while the first one runs.</param>
/// <param name="Health">Null for a container without a health check.</param>
sealed record ContainerState(string Status, int ExitCode, ContainerHealth? Health = null);
