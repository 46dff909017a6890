using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Why the program gives up: what happened, why, and what to do about it.</summary>
sealed class FailureException(string what, string why, string fix, int exitCode = ExitCodes.Failed)
    : Exception($"{what}. {why.TrimEnd('.')}. To fix it: {fix}")
{
    /// <summary>The program's exit code.</summary>
    public int ExitCode => exitCode;
}
