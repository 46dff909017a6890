namespace ThermalStreaming.Runner;

/// <summary>How a program ended and what it said.</summary>
/// <param name="ExitCode">0 if it did what it should.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Text">Both outputs.</param>
sealed record CommandAnswer(int ExitCode, string Output, string Text)
{
    const int Columns = 200;

    public bool IsGood => ExitCode == 0;

    /// <summary>The last line that is not empty.</summary>
    public string LastLine
    {
        get
        {
            var line = Text.Split('\n').Select(line => line.Trim()).LastOrDefault(line => line.Length > 0, $"exit code {ExitCode}");
            return line.Length > Columns ? line[..Columns] : line;
        }
    }
}
