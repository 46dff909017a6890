namespace ThermalStreaming.Runner;

/// <summary>A test that did not pass.</summary>
/// <param name="Name">Its full name, with its arguments.</param>
/// <param name="Outcome">Failed, NotExecuted, or what else the runner says of it.</param>
/// <param name="Reason">What it says, on one line and cut; for a skipped test, why. Empty if it says nothing.</param>
sealed record TestOutcome(string Name, string Outcome, string Reason);
