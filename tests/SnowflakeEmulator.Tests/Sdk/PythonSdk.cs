using System.Diagnostics;
using System.IO.Compression;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests.Sdk;

/// <summary>
/// Snowflake's Streaming SDK for Python (<c>pip install snowpipe-streaming</c>), if this machine has it: Python imports it by itself, or
/// THERMAL_SNOWPIPE_SDK names a folder with its wheels.
/// </summary>
static class PythonSdk
{
    const string Module = "snowflake.ingest.streaming";

    static readonly TempDirectory unpacked = new();
    static readonly Lazy<(string? Python, string? Path, string Reason)> found = new(Find);

    /// <summary>Why the SDK cannot be used; null if it can.</summary>
    public static string? Missing => found.Value.Python is null ? found.Value.Reason : null;

    static (string? Python, string? Path, string Reason) Find()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => unpacked.Dispose();
        var path = Environment.GetEnvironmentVariable("PYTHONPATH");
        var last = "";
        foreach (var python in new[] { "python3", "/usr/bin/python3" })
        {
            if (CanImport(python, path, ref last))
                return (python, path, "");
        }
        if (Environment.GetEnvironmentVariable("THERMAL_SNOWPIPE_SDK") is { Length: > 0 } folder && Directory.Exists(folder))
        {
            foreach (var wheel in Directory.GetFiles(folder, "*.whl"))
                ZipFile.ExtractToDirectory(wheel, unpacked.Path, overwriteFiles: true);
            foreach (var python in new[] { "python3.11", "python3", "/usr/bin/python3" })
            {
                if (CanImport(python, unpacked.Path, ref last))
                    return (python, unpacked.Path, "");
            }
        }
        return (
            null,
            null,
            $"Python cannot import {Module} ({last}): pip install snowpipe-streaming, or set THERMAL_SNOWPIPE_SDK to a folder of its wheels"
        );
    }

    static bool CanImport(string python, string? path, ref string last)
    {
        try
        {
            using var process = Process.Start(Command(python, path, "-c", $"import {Module}"))!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0)
                return true;
            last = error.Trim().Split('\n')[^1].Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            last = last.Length > 0 ? last : e.Message;
        }
        return false;
    }

    static ProcessStartInfo Command(string python, string? path, params string[] arguments)
    {
        var start = new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        if (path is not null)
            start.Environment["PYTHONPATH"] = path;
        return start;
    }

    /// <summary>Runs a scenario to its end.</summary>
    /// <param name="scenario">A function of scenarios.py.</param>
    /// <param name="environment">What it reads from the environment.</param>
    /// <returns>Exit code, and everything that script and SDK said.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string scenario, IReadOnlyDictionary<string, string> environment)
    {
        var start = Command(
            found.Value.Python!,
            found.Value.Path,
            Emulator.Find("tests/SnowflakeEmulator.Tests/Sdk/scenarios.py"),
            scenario
        );
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        return (process.ExitCode, await output + await error);
    }
}
