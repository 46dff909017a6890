using System.ComponentModel;
using System.Diagnostics;

namespace ThermalStreaming.Observability.Tests;

/// <summary>Runs a program to its end.</summary>
static class Tool
{
    static readonly TimeSpan patience = TimeSpan.FromMinutes(15);

    /// <summary>Prometheus' own tool, of Debian's package prometheus.</summary>
    /// <returns>The exit code and both outputs.</returns>
    public static async Task<(int Code, string Output)> PromtoolAsync(string? input, params string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(
                new ProcessStartInfo("promtool", arguments)
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    WorkingDirectory = Repository.File(""),
                }
            )!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("promtool is not installed: apt-get install prometheus", e);
        }
        using (process)
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (input is not null)
                await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            try
            {
                await process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
            }
            catch (TimeoutException)
            {
                process.Kill();
                throw;
            }
            return (process.ExitCode, await output + await errors);
        }
    }
}
