using System.Diagnostics;
using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>What figures were measured on.</summary>
static class Conditions
{
    /// <summary>Names and values, the load average last.</summary>
    public static async Task<IReadOnlyList<(string Name, string Value)>> OfThisMachineAsync() =>
        [
            ("date", TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture)),
            ("processor", Processor()),
            ("processors", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            ("kernel", (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim()),
            ("mosquitto", await FirstLineAsync(File.Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto", "-h")),
            (".NET", Environment.Version.ToString()),
            ("load average before", await LoadAsync()),
        ];

    public static async Task<string> LoadAsync() => (await File.ReadAllTextAsync("/proc/loadavg")).Trim();

    static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':') + 2)..].Trim()
            : "not named in /proc/cpuinfo";

    static async Task<string> FirstLineAsync(string program, string argument)
    {
        using var process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output.Split('\n')[0];
    }
}
