namespace ThermalStreaming.Thermalctl;

/// <summary>Output and exit code of a command in a container.</summary>
sealed record CommandOutput(int ExitCode, string Output, string Errors)
{
    /// <summary>The last line that is not blank, from its errors or otherwise from its output.</summary>
    public string LastLine => Last(Errors) ?? Last(Output) ?? "";

    static string? Last(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
}
