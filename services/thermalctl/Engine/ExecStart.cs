namespace ThermalStreaming.Thermalctl;

/// <summary>How a command that was made is to be started: with its output in the answer.</summary>
sealed record ExecStart(bool Detach = false, bool Tty = false);
