namespace ThermalStreaming.Runner;

/// <summary>A test that did not pass.</summary>
/// <param name="Name">Its full name, with its arguments.</param>
/// <param name="Outcome">Failed, NotExecuted, or what else the runner says of it.</param>
/// <param name="Reason">The first line of what it says; for a skipped test, why.</param>
sealed record TestOutcome(string Name, string Outcome, string Reason);
