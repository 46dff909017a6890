namespace ThermalStreaming.Runner;

/// <summary>What came of a run of ./test so far.</summary>
/// <param name="results">Directory of result files and logs.</param>
sealed class TestRun(string results)
{
    readonly List<string> failures = [];
    readonly List<string> skipped = [];

    public string Results => results;

    public int Passed { get; private set; }

    /// <summary>The tests, and projects, that failed.</summary>
    public IReadOnlyList<string> Failures => failures;

    /// <summary>The tests that were skipped, with the reason.</summary>
    public IReadOnlyList<string> Skipped => skipped;

    public void AddPassed(int count) => Passed += count;

    public void AddFailure(string text) => failures.Add(text.ReplaceLineEndings(" "));

    public void AddSkipped(string text) => skipped.Add(text.ReplaceLineEndings(" "));
}
