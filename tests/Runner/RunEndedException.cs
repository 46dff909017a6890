namespace ThermalStreaming.Runner;

/// <summary>Why a run cannot go on: what, why, and what to do about it.</summary>
sealed class RunEndedException(string message) : Exception(message)
{
    public RunEndedException(string what, string why, string fix)
        : this($"{what}. {why.TrimEnd('.')}. To fix it: {fix}") { }
}
