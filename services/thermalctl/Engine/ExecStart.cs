namespace ThermalStreaming.Thermalctl;

/// <summary>How to start a created command: with its output in the answer.</summary>
sealed record ExecStart(bool Detach = false, bool Tty = false);
