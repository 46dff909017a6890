using System.ComponentModel;
using System.Diagnostics;
using ThermalStreaming.Thermalctl;

namespace ThermalStreaming.Bench;

/// <summary>Runs other programs, whose errors go to the terminal.</summary>
/// <remarks>
/// A program that cannot be started is a <see cref="FailureException"/>, and one that Ctrl+C has ended an
/// <see cref="OperationCanceledException"/>.
/// </remarks>
/// <param name="directory">Where they run.</param>
/// <param name="environment">What they have besides this process's environment.</param>
sealed class ExternalTools(string directory, params (string Name, string Value)[] environment)
{
    static readonly TimeSpan ownEnd = TimeSpan.FromSeconds(10);

    /// <summary>Runs a program with its output on the terminal.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using var process = Start(new ProcessStartInfo(program, arguments));
        await EndAsync(process, cancellationToken);
        return process.ExitCode;
    }

    /// <summary>Runs a program whose output is the answer; it has nothing to read.</summary>
    public async Task<(int ExitCode, string Output)> AskAsync(
        string program,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    )
    {
        using var process = Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true });
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await EndAsync(process, cancellationToken);
        return (process.ExitCode, await output);
    }

    Process Start(ProcessStartInfo start)
    {
        start.WorkingDirectory = directory;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new FailureException(
                $"{start.FileName} cannot be started",
                e.Message,
                start.FileName switch
                {
                    "docker" => "./up installs Docker",
                    "gcc" => "apt-get install gcc libc6-dev",
                    _ => $"install {start.FileName}",
                }
            );
        }
    }

    static async Task EndAsync(Process process, CancellationToken cancellationToken)
    {
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await EndOrKillAsync(process);
            throw;
        }
        // Ctrl+C may reach it before this program.
        if (process.ExitCode == OperatorExit.Interrupted)
            throw new OperationCanceledException();
    }

    /// <summary>Ctrl+C has reached the program too: what Compose has begun, it finishes, and then all of it can be taken down.</summary>
    static async Task EndOrKillAsync(Process process)
    {
        using var late = new CancellationTokenSource(ownEnd, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
