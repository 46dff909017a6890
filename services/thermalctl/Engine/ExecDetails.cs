namespace ThermalStreaming.Thermalctl;

/// <summary>How a command in a container ended. <paramref name="ExitCode"/> is null while it runs.</summary>
sealed record ExecDetails(int? ExitCode);
