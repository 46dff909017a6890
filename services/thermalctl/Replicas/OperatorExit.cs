using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Exit codes of the operator's verbs, besides <see cref="ExitCodes"/>.</summary>
static class OperatorExit
{
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Some replicas did it; others did not or could not be reached.</summary>
    public const int Partly = 3;

    /// <summary>Ctrl+C.</summary>
    public const int Interrupted = 130;

    /// <param name="done">How many replicas did what they were asked.</param>
    /// <param name="asked">How many were asked.</param>
    public static int Of(int done, int asked) =>
        done == 0 ? ExitCodes.Failed
        : done < asked ? Partly
        : ExitCodes.Ok;
}
