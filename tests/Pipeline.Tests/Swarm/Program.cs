using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>Runs programs to their end.</summary>
static class Program
{
    /// <param name="name">Found by PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">What is set besides this process's own variables.</param>
    /// <param name="directory">Where it runs; null: here.</param>
    /// <exception cref="TimeoutException">It took more than two minutes, and was killed.</exception>
    public static async Task<CommandResult> RunAsync(
        string name,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? directory = null
    )
    {
        var start = new ProcessStartInfo(name, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "",
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return new CommandResult($"{name} {string.Join(' ', arguments)}", process.ExitCode, await output, await errors);
    }
}
