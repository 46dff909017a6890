namespace ThermalStreaming.Thermalctl;

/// <summary>The end of a command in a container. <paramref name="ExitCode"/> is null while it runs.</summary>
sealed record ExecDetails(int? ExitCode);
