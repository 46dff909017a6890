using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

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
            ("speed (processor time)", await SpeedAsync()),
            ("load average before", await LoadAsync()),
        ];

    public static async Task<string> LoadAsync() => (await File.ReadAllTextAsync("/proc/loadavg")).Trim();

    static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':') + 2)..].Trim()
            : "not named in /proc/cpuinfo";

    /// <summary>
    /// What two things cost that never change, one without and one with much work of the kernel. Only runs in which these are alike can be
    /// compared by their processor time: on a shared machine the same work may cost several times as much an hour later.
    /// </summary>
    static async Task<string> SpeedAsync()
    {
        const int starts = 50,
            megabytes = 64;
        var data = new byte[1 << 20];
        var before = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < megabytes; i++)
            SHA256.HashData(data);
        var hashing = Environment.CpuUsage.TotalTime - before;
        var children = ProcessFigures.CpuSecondsOfEndedChildren;
        for (var i = 0; i < starts; i++)
        {
            using var process = Process.Start("/bin/true");
            await process.WaitForExitAsync();
        }
        var starting = ProcessFigures.CpuSecondsOfEndedChildren - children;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{megabytes} MiB of SHA-256 in {hashing.TotalMilliseconds:0} ms; a start of /bin/true in {starting * 1000 / starts:0.0} ms"
        );
    }

    static async Task<string> FirstLineAsync(string program, string argument)
    {
        using var process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output.Split('\n')[0];
    }
}
