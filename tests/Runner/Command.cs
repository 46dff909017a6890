using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace ThermalStreaming.Runner;

/// <summary>Runs other programs. What they say is kept in the log. When the run is interrupted, they are killed.</summary>
sealed class Command(string log, TimeProvider clock)
{
    /// <summary>Exit code of a program that took too long, as that of timeout(1).</summary>
    public const int TimedOut = 124;

    const int NotFound = 127;

    /// <summary>Runs a program with its output in the log alone.</summary>
    /// <returns>Its exit code, and what it said.</returns>
    public Task<CommandAnswer> AskAsync(IReadOnlyList<string> words, CancellationToken stop) =>
        AskAsync(words, Timeout.InfiniteTimeSpan, stop);

    /// <inheritdoc cref="AskAsync(IReadOnlyList{string}, CancellationToken)"/>
    public async Task<CommandAnswer> AskAsync(IReadOnlyList<string> words, TimeSpan ceiling, CancellationToken stop)
    {
        var said = new StringBuilder();
        var output = new StringBuilder();
        var code = await FollowAsync(
            words,
            line =>
            {
                output.AppendLine(line);
                said.AppendLine(line);
            },
            line => said.AppendLine(line),
            ceiling,
            stop
        );
        await NoteAsync(said.ToString());
        return new CommandAnswer(code, output.ToString(), said.ToString());
    }

    /// <summary>Adds to the log. On a full disk it is missed: an answer, and the cleaning up at the end, matter more.</summary>
    public async Task NoteAsync(string text)
    {
        try
        {
            await File.AppendAllTextAsync(log, text, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nowhere else to write it.
        }
    }

    /// <summary>Runs a program, and gives each line of its two outputs to one of two methods; one line at a time.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="Exception">What one of the methods threw; later lines are not given, and the program has ended.</exception>
    public async Task<int> FollowAsync(
        IReadOnlyList<string> words,
        Action<string> output,
        Action<string> errors,
        TimeSpan ceiling,
        CancellationToken stop
    )
    {
        var start = new ProcessStartInfo(words[0], words.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var lines = new LineGate();
            process.OutputDataReceived += (_, line) => lines.Give(output, line.Data);
            process.ErrorDataReceived += (_, line) => lines.Give(errors, line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            try
            {
                return await EndAsync(process, ceiling, stop);
            }
            finally
            {
                lines.Close();
            }
        }
        catch (Win32Exception e)
        {
            errors(e.Message);
            return NotFound;
        }
    }

    /// <summary>Runs a program that talks to the terminal itself, and may ask there.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken stop)
    {
        using var process = Process.Start(new ProcessStartInfo(words[0], words.Skip(1)))!;
        return await EndAsync(process, Timeout.InfiniteTimeSpan, stop);
    }

    async Task<int> EndAsync(Process process, TimeSpan ceiling, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(ceiling, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await process.WaitForExitAsync(either.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            Kill(process);
            stop.ThrowIfCancellationRequested();
            return TimedOut;
        }
    }

    static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has just ended, or belongs to root, who gets the terminal's interruption too.
        }
    }
}
