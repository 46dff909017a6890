using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The program itself, in a process of its own.</summary>
sealed class OperatorProcess : IDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(120);

    readonly Process process;
    readonly StringBuilder seen = new();
    readonly Task output;
    readonly Task<string> errors;

    OperatorProcess(IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The machine may be busy.
        start.Environment["THERMAL_PATIENCE"] = "60s";
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        process = Process.Start(start)!;
        process.StandardInput.Close();
        (output, errors) = (ReadAsync(), process.StandardError.ReadToEndAsync());
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Thermalctl");

    public static OperatorProcess Start(params IReadOnlyList<string> arguments) => Start(new Dictionary<string, string>(), arguments);

    public static OperatorProcess Start(IReadOnlyDictionary<string, string> environment, params IReadOnlyList<string> arguments) =>
        new(environment, arguments);

    /// <summary>Runs it to its end.</summary>
    public static Task<ToolResult> RunAsync(params IReadOnlyList<string> arguments) =>
        RunAsync(new Dictionary<string, string>(), arguments);

    public static async Task<ToolResult> RunAsync(IReadOnlyDictionary<string, string> environment, params IReadOnlyList<string> arguments)
    {
        using var run = new OperatorProcess(environment, arguments);
        return await run.EndAsync();
    }

    /// <summary>Runs it with --json.</summary>
    public static async Task<(int ExitCode, JsonNode Answer)> JsonAsync(params IReadOnlyList<string> arguments)
    {
        var answer = await RunAsync([.. arguments, "--json"]);
        return (answer.ExitCode, JsonNode.Parse(answer.Output)!);
    }

    /// <summary>Ctrl+C.</summary>
    public void Interrupt() => Assert.Equal(0, SendSignal(process.Id, 2));

    public async Task<ToolResult> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
        await output;
        return new ToolResult(process.ExitCode, Text, await errors);
    }

    /// <summary>How many characters it has written to standard output.</summary>
    public int Seen => Text.Length;

    /// <summary>Waits until its output has a text, behind so many characters.</summary>
    public async Task SawAsync(string text, int after = 0)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!Text[after..].Contains(text, StringComparison.Ordinal))
        {
            if (process.HasExited || TimeProvider.System.GetElapsedTime(started) > patience)
                throw new TimeoutException($"It has not written '{text}' but: {Text}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    string Text
    {
        get
        {
            lock (seen)
                return seen.ToString();
        }
    }

    async Task ReadAsync()
    {
        var buffer = new char[4096];
        while (await process.StandardOutput.ReadAsync(buffer) is > 0 and var length)
        {
            lock (seen)
                seen.Append(buffer, 0, length);
        }
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SendSignal(int process, int signal);
}
