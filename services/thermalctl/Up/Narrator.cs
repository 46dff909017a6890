using Spectre.Console;

namespace ThermalStreaming.Thermalctl;

/// <summary>Writes to the person at the terminal, in the same words and marks as <c>offline/docker.sh</c>. Not thread-safe.</summary>
sealed class Narrator
{
    const string EraseLine = "\r\x1b[K";

    readonly TextWriter output;
    readonly IAnsiConsole console;
    readonly IAnsiConsole errors;
    readonly bool isInteractive;
    bool lineIsOpen;

    /// <param name="output">Receives normal messages.</param>
    /// <param name="errors">Receives warnings and failures.</param>
    /// <param name="isInteractive">Whether progress overwrites itself.</param>
    public Narrator(TextWriter output, TextWriter errors, bool isInteractive)
    {
        this.output = output;
        this.isInteractive = isInteractive;
        console = Terminal.For(output);
        this.errors = Terminal.For(errors);
    }

    public void Step(string text) => Line(console, $"[green]==>[/] {text}");

    public void Say(string text) => Line(console, $"{(text.Length > 0 ? "    " : "")}{text}");

    public void Warn(string text) => Line(errors, $"[yellow]    warning:[/] {text}");

    public void Fail(string text) => Line(errors, $"[red]failed:[/] {text}");

    /// <summary>A line of another program, with its name in front.</summary>
    public void Quote(string source, string text) => Line(errors, $"    [grey]{source} |[/] {text}");

    public void Head(string text) => Line(console, $"    [bold]{text}[/]");

    /// <summary>Reports progress: always on a terminal, and otherwise when it <paramref name="isDue"/>.</summary>
    public void Progress(string text, bool isDue)
    {
        if (isInteractive)
        {
            output.Write($"{EraseLine}    {text}");
            output.Flush();
            lineIsOpen = true;
        }
        else if (isDue)
        {
            Say(text);
        }
    }

    void Line(IAnsiConsole to, FormattableString text)
    {
        if (lineIsOpen)
            output.Write(EraseLine);
        lineIsOpen = false;
        to.MarkupLineInterpolated(text);
    }
}
