using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace ThermalStreaming.Testing;

/// <summary>The docker command line, as a user of the project has it.</summary>
public static class Docker
{
    static readonly string[] command = (Environment.GetEnvironmentVariable("THERMAL_TEST_DOCKER") ?? "docker").Split(
        ' ',
        StringSplitOptions.RemoveEmptyEntries
    );

    /// <summary>What reaches docker from this process: how to find the engine, never a setting of the project.</summary>
    static readonly string[] passedOn =
    [
        "PATH",
        "HOME",
        "USER",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "SSH_AUTH_SOCK",
        "DOCKER_HOST",
        "DOCKER_CONFIG",
        "DOCKER_CONTEXT",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ];

    public static Task<CommandResult> TryAsync(params string[] arguments) => TryAsync(arguments, null, TimeSpan.FromMinutes(2));

    public static async Task<string> RunAsync(params string[] arguments) => (await TryAsync(arguments)).OrThrow().Output.Trim();

    /// <exception cref="InvalidOperationException">There is no docker here.</exception>
    /// <exception cref="TimeoutException">It did not end within <paramref name="ceiling"/>, and was killed.</exception>
    public static async Task<CommandResult> TryAsync(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string>? environment,
        TimeSpan ceiling
    )
    {
        var start = new ProcessStartInfo(command[0], [.. command[1..], .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Clear();
        foreach (var name in passedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
                start.Environment[name] = value;
        }
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var shown = string.Join(' ', [.. command, .. arguments]);

        using var process = Start(start);
        process.StandardInput.Close();
        var output = new StringBuilder();
        var errors = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync().WaitAsync(ceiling, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"{shown}\ndid not end within {ceiling.TotalSeconds} s. So far it said:\n{Text(output)}{Text(errors)}"
            );
        }
        return new CommandResult(shown, process.ExitCode, Text(output), Text(errors));
    }

    static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                "There is no docker here. These tests need Docker Engine and Compose v2; ./test pipeline installs them.",
                e
            );
        }
    }

    static void Append(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.AppendLine(line);
    }

    static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }
}
