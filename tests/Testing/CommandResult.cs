namespace ThermalStreaming.Testing;

/// <summary>What a command said and how it ended.</summary>
public sealed record CommandResult(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>Everything it said.</summary>
    public string Text => Output + Errors;

    public CommandResult OrThrow() =>
        ExitCode == 0 ? this : throw new InvalidOperationException($"{Command}\nended with exit code {ExitCode}:\n{Text}");
}
