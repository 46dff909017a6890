namespace ThermalStreaming.Runner;

/// <summary>How ./test talks to the person in front of the terminal.</summary>
sealed class Narrator(TextWriter output, TextWriter errors)
{
    readonly bool isTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    public TextWriter Output => output;

    /// <summary>Head of a part of the output.</summary>
    public void Step(string text) => output.WriteLine($"{Coloured("==>", 32)} {text}");

    public void Say(string text) => output.WriteLine($"    {text}");

    public void Warn(string text) => errors.WriteLine($"{Coloured("    warning:", 33)} {text}");

    public void Fail(string text) => errors.WriteLine($"{Coloured("failed:", 31)} {text}");

    /// <summary>A test, or a project, that failed.</summary>
    public void Failed(string text) => output.WriteLine($"    {Coloured("FAILED", 31)} {text}");

    string Coloured(string text, int colour) => isTerminal ? $"\x1b[{colour}m{text}\x1b[0m" : text;
}
