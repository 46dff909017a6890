using Spectre.Console;

namespace ThermalStreaming.Thermalctl;

/// <summary>The terminal of the person who started the container that this program runs in.</summary>
static class Terminal
{
    /// <summary>Longer than any line: the terminal itself wraps, so that copied text has no added line ends.</summary>
    const int Width = 4096;

    /// <summary>Whether the output ends at a terminal. The container has none, so <c>offline/project.sh</c> tells.</summary>
    public static bool IsInteractive { get; } = Environment.GetEnvironmentVariable("THERMALCTL_TERMINAL") == "yes";

    /// <summary>Whether colours are wanted: NO_COLOR is not set, and the terminal has colours.</summary>
    static bool WantsColours =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>
    /// For verbs whose standard output is the person's terminal itself, or a pipe or file. In a pipe a table keeps its width, and there are
    /// no colours.
    /// </summary>
    public static IAnsiConsole OfPerson(TextWriter output) =>
        Console.IsOutputRedirected ? Create(output, hasColours: false, Width) : Create(output, WantsColours, Columns);

    /// <summary>Draws a screen of <paramref name="columns"/> columns as text.</summary>
    public static IAnsiConsole OfScreen(TextWriter output, int columns) => Create(output, WantsColours, columns);

    /// <summary>Width of the terminal; 80 if it does not say.</summary>
    public static int Columns => Console.WindowWidth is > 0 and var columns ? columns : 80;

    /// <summary>Height of the terminal; 24 if it does not say.</summary>
    public static int Lines => Console.WindowHeight is > 0 and var lines ? lines : 24;

    static IAnsiConsole Create(TextWriter output, bool hasColours, int width)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = hasColours ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = hasColours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
                Interactive = InteractionSupport.No,
            }
        );
        console.Profile.Capabilities.Unicode = true;
        console.Profile.Width = width;
        return console;
    }

    public static IAnsiConsole For(TextWriter output)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = IsInteractive ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = IsInteractive ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            }
        );
        console.Profile.Width = Width;
        return console;
    }
}
