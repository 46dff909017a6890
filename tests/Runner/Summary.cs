namespace ThermalStreaming.Runner;

/// <summary>What ./test ends with.</summary>
static class Summary
{
    /// <summary>
    /// Names every test that was skipped or failed. With a <paramref name="filter"/> that no test has in its name, that is a failure.
    /// </summary>
    public static void Write(TestRun run, string? filter, Narrator narrator)
    {
        if (run.Passed + run.Failures.Count + run.Skipped.Count == 0)
            run.AddFailure($"no test has '{filter}' in its name");
        WriteNames(run, narrator);
    }

    /// <summary>Names every test that was skipped or failed so far.</summary>
    public static void WriteNames(TestRun run, Narrator narrator)
    {
        foreach (var test in run.Skipped)
            narrator.Say($"SKIPPED {test}");
        foreach (var failure in run.Failures)
            narrator.Failed(failure);
    }

    /// <summary>The last line.</summary>
    public static void WriteCounts(TestRun run, TextWriter output) => output.WriteLine($"{run.Passed} passed, {run.Failures.Count} failed");

    /// <summary>The last line of a run that could not begin, or go on: that is one more failure.</summary>
    public static void WriteAborted(TestRun run, TextWriter output) =>
        output.WriteLine($"{run.Passed} passed, {run.Failures.Count + 1} failed");
}
