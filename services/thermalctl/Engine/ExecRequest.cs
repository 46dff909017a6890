namespace ThermalStreaming.Thermalctl;

/// <summary>A command to run in a container. <paramref name="Env"/> adds NAME=value to its environment.</summary>
sealed record ExecRequest(string[] Cmd, string[]? Env = null, bool AttachStdout = true, bool AttachStderr = true);
