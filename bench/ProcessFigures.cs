using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>The kernel's figures of a process: proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5), proc_pid_smaps(5).</summary>
sealed class ProcessFigures(int id)
{
    /// <summary>USER_HZ, which is 100 on x64 and arm64.</summary>
    const double TicksPerSecond = 100;

    /// <summary>Processor time of all its threads, user and system, in seconds; steps of 10 ms.</summary>
    public double CpuSeconds
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // The name, in parentheses, may hold blanks.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
        }
    }

    /// <summary>Processor time of this process's own children that have ended, in seconds; steps of 10 ms.</summary>
    public static double CpuSecondsOfEndedChildren
    {
        get
        {
            var stat = File.ReadAllText("/proc/self/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (Number(fields[13]) + Number(fields[14])) / TicksPerSecond;
        }
    }

    /// <summary>Bytes it caused to be sent to the storage layer.</summary>
    public long BytesWritten => Field("io", "write_bytes:");

    /// <summary>Resident set now.</summary>
    public long ResidentBytes => Field("status", "VmRSS:") * 1024;

    /// <summary>Largest resident set since the start or <see cref="ResetPeak"/>.</summary>
    public long PeakResidentBytes => Field("status", "VmHWM:") * 1024;

    /// <summary>Resident pages that no other process shares.</summary>
    public long PrivateBytes => (Field("smaps_rollup", "Private_Clean:") + Field("smaps_rollup", "Private_Dirty:")) * 1024;

    public void ResetPeak() => File.WriteAllText($"/proc/{id}/clear_refs", "5");

    long Field(string file, string name)
    {
        var line = File.ReadLines($"/proc/{id}/{file}").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return Number(line[name.Length..].Trim().Split(' ')[0]);
    }

    static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
