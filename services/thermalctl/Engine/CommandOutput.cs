namespace ThermalStreaming.Thermalctl;

/// <summary>What a command in a container said, and how it ended.</summary>
sealed record CommandOutput(int ExitCode, string Output, string Errors)
{
    /// <summary>The last line that is not blank; of its errors, else of its output.</summary>
    public string LastLine => Last(Errors) ?? Last(Output) ?? "";

    static string? Last(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
}
