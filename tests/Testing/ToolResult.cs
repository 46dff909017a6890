namespace ThermalStreaming.Testing;

/// <summary>How a program ended and what it said.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string Text => Output + "\n" + Error;

    public ToolResult OrThrow() => ExitCode == 0 ? this : throw new InvalidOperationException($"Exit code {ExitCode}: {Text}");
}
