using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The programs of the images, as they were built for the tests.</summary>
static class Programs
{
    static readonly Dictionary<string, string> assemblies = new(StringComparer.Ordinal)
    {
        ["thermalctl"] = "Thermalctl",
        ["snowpipe-forwarder"] = "SnowpipeForwarder",
        ["s3-forwarder"] = "S3Forwarder",
        ["sensor-agent"] = "SensorAgent",
        ["console"] = "Console",
    };

    /// <param name="image">Its name, with or without a registry and tag.</param>
    public static bool Has(string image) => assemblies.ContainsKey(NameOf(image));

    public static string NameOf(string image) => image.Split(':')[0].Split('/')[^1];

    public static ProcessStartInfo Start(string image, IEnumerable<string> arguments) =>
        new("dotnet", [Path.Combine(AppContext.BaseDirectory, $"ThermalStreaming.{assemblies[NameOf(image)]}.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

    /// <summary>Runs one to its end.</summary>
    public static async Task<ToolResult> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new ToolResult(process.ExitCode, await output, await errors);
    }
}
