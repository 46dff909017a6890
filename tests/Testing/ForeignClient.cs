using System.Diagnostics;
using System.Text.Json;

namespace ThermalStreaming.Testing;

/// <summary>A gRPC client of another maker: Debian's python3-grpcio, which ./test installs.</summary>
public static class ForeignClient
{
    static readonly TimeSpan patience = TimeSpan.FromMinutes(2);

    /// <summary>Calls a method.</summary>
    /// <param name="port">On this machine.</param>
    /// <param name="method">For example <c>/thermal.v1.Agent/GetStatus</c>.</param>
    /// <param name="request">JSON.</param>
    /// <param name="options"><c>token=</c>, <c>deadline=</c> in seconds, <c>take=</c> answers before it cancels, <c>ca=</c> file of the
    /// authority, for TLS.</param>
    public static async Task<ForeignAnswer> CallAsync(int port, string method, string request = "{}", params string[] options)
    {
        var start = new ProcessStartInfo(
            "/usr/bin/python3",
            [Path.Combine(AppContext.BaseDirectory, "foreign_client.py"), $"127.0.0.1:{port}", method, request, .. options]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
        var lines = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (process.ExitCode != 0 || lines.Length == 0)
            throw new InvalidOperationException($"The foreign client failed (apt-get install python3-grpcio): {await error}");
        var status = lines[^1].Split('\t');
        return new([.. lines[..^1].Select(line => JsonDocument.Parse(line).RootElement)], status[0], status[1], status[2]);
    }
}
