using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>A terminal of a known size with a shell or program in it, whose screen and keys a test has.</summary>
sealed class Tmux : IDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(120);

    readonly TempDirectory directory = new();

    Tmux() { }

    /// <param name="columns">Width.</param>
    /// <param name="lines">Height.</param>
    /// <param name="command">What runs in it; ends with the terminal.</param>
    public static async Task<Tmux> StartAsync(int columns, int lines, params IReadOnlyList<string> command)
    {
        var terminal = new Tmux();
        await terminal.RunAsync(["-f", "/dev/null", "new-session", "-d", "-x", $"{columns}", "-y", $"{lines}", .. command]);
        return terminal;
    }

    /// <summary>The screen, without colours unless <paramref name="withColours"/>.</summary>
    public Task<string> ScreenAsync(bool withColours = false) =>
        RunAsync(["capture-pane", "-p", .. withColours ? ["-e"] : Array.Empty<string>()]);

    /// <summary>Types text, or presses a key that tmux names: Enter, Tab, C-c.</summary>
    public Task TypeAsync(params IReadOnlyList<string> keys) => RunAsync(["send-keys", .. keys]);

    public Task ResizeAsync(int columns, int lines) => RunAsync(["resize-window", "-x", $"{columns}", "-y", $"{lines}"]);

    /// <summary>Waits until the screen is as wanted, and returns it.</summary>
    public async Task<string> UntilAsync(Func<string, bool> wanted)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var screen = await ScreenAsync();
            if (wanted(screen))
                return screen;
            if (TimeProvider.System.GetElapsedTime(started) > patience)
                throw new TimeoutException($"The screen is not as wanted:\n{screen}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    public Task<string> UntilItShowsAsync(string text) => UntilAsync(screen => screen.Contains(text, StringComparison.Ordinal));

    public void Dispose()
    {
        using var end = Process.Start(new ProcessStartInfo("tmux", ["-S", Socket, "kill-server"]) { RedirectStandardError = true });
        end!.WaitForExit();
        directory.Dispose();
    }

    string Socket => directory.File("tmux");

    async Task<string> RunAsync(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("tmux", ["-u", "-S", Socket, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Started inside a tmux of the developer's, it would not make a server of its own.
        start.Environment.Remove("TMUX");
        start.Environment["NO_COLOR"] = "";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
        return new ToolResult(process.ExitCode, await output, await errors).OrThrow().Output;
    }
}
