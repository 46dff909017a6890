using System.Buffers.Text;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Temperature, use and load of the processor, memory, free disk space, uptime and power supply of this machine, from /proc, /sys, statvfs
/// and sysinfo. Only the kernel can delay it. In a Docker container all figures are the machine's; where lxcfs puts a container's figures
/// into /proc, processor use and memory are the container's, load and uptime still the machine's. For one sampler; <see cref="Last"/> for
/// any thread.
/// </summary>
sealed class SystemMetrics : IDisposable
{
    /// <summary>The kernel counts processor time in steps of 10 ms; over less than this, its share is mostly rounding.</summary>
    static readonly TimeSpan ShortestCpuSpan = TimeSpan.FromMilliseconds(200);

    readonly KernelFile stat;
    readonly KernelFile memory;
    readonly KernelFile? temperature;
    readonly PiPower power;
    readonly DriveInfo disk;
    readonly Kernel kernel;
    readonly TimeProvider clock;
    CpuTime lastCpu;
    long lastCpuAt;

    /// <summary>
    /// Until there is a span to measure, the share since the machine's start, so that the first readings also have a value.
    /// </summary>
    double? cpuPercent;

    SystemFigures last = SystemFigures.None;

    public SystemMetrics(string procDirectory, string sysDirectory, string dataDirectory, Kernel kernel, TimeProvider clock)
    {
        this.kernel = kernel;
        this.clock = clock;
        stat = new KernelFile(Path.Combine(procDirectory, "stat"));
        memory = new KernelFile(Path.Combine(procDirectory, "meminfo"));
        TemperaturePath = FindCpuTemperature(sysDirectory);
        temperature = TemperaturePath is null ? null : new KernelFile(TemperaturePath, 64);
        power = new PiPower(sysDirectory);
        disk = new DriveInfo(dataDirectory);
        if (CpuTime.TryParse(stat.Read(), out lastCpu))
            cpuPercent = lastCpu.PercentSince(default);
        lastCpuAt = clock.GetTimestamp();
    }

    /// <summary>The file with the processor's temperature; null if the kernel has none.</summary>
    public string? TemperaturePath { get; }

    /// <summary>The figures filled in last, for metrics.</summary>
    public SystemFigures Last => Volatile.Read(ref last);

    /// <summary>Fills in the values that can be read now; the rest stays absent.</summary>
    public void AddTo(ThermalReading reading)
    {
        // Silicon survives −40 to 150 °C; a zone whose driver failed reports 0 K or millions.
        if (temperature?.ReadNumber() is { } milliCelsius and >= -40_000 and <= 150_000)
            reading.CpuTemperatureC = milliCelsius / 1000.0;
        if (CpuPercent() is { } percent)
            reading.CpuPercent = percent;
        if (MemoryPercent(memory.Read()) is { } used)
            reading.MemoryPercent = used;
        if (DiskFreeMb() is { } free)
            reading.DiskFreeMb = free;
        var figures = new SystemFigures(power.UnderVoltage(), power.Throttled(), kernel.LoadAverage(), kernel.SinceBoot());
        if (figures.UnderVoltage is { } isUnder)
            reading.UnderVoltage = isUnder;
        if (figures.Throttled is { } bits)
            reading.Throttled = bits;
        if (figures.LoadAverage is { } load)
            reading.LoadAverage = load;
        reading.UptimeS = (ulong)figures.Uptime.TotalSeconds;
        Volatile.Write(ref last, figures);
    }

    double? CpuPercent()
    {
        var now = clock.GetTimestamp();
        if (clock.GetElapsedTime(lastCpuAt, now) < ShortestCpuSpan)
            return cpuPercent;
        if (!CpuTime.TryParse(stat.Read(), out var cpu))
            return cpuPercent = null;
        cpuPercent = cpu.PercentSince(lastCpu) ?? cpuPercent;
        lastCpu = cpu;
        lastCpuAt = now;
        return cpuPercent;
    }

    ulong? DiskFreeMb()
    {
        try
        {
            return (ulong)disk.AvailableFreeSpace / 1_000_000;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Total less available, % of total; null when /proc/meminfo does not hold both (proc_meminfo(5)).</summary>
    internal static double? MemoryPercent(ReadOnlySpan<byte> meminfo) =>
        Value(meminfo, "MemTotal:"u8) is { } total and > 0 && Value(meminfo, "MemAvailable:"u8) is { } available && available <= total
            ? 100.0 * (total - available) / total
            : null;

    static long? Value(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        var at = text.IndexOf(key);
        return
            at >= 0
            && (at == 0 || text[at - 1] == '\n')
            && Utf8Parser.TryParse(text[(at + key.Length)..].TrimStart((byte)' '), out long value, out _)
            ? value
            : null;
    }

    /// <summary>
    /// Directory of the temperatures: a container has only the machine's network cards mounted, but sees the machine's thermal zones in its
    /// own /sys.
    /// </summary>
    public static string WithTemperatures(string sysDirectory) =>
        Directory.Exists(Path.Combine(sysDirectory, "class/thermal")) || Directory.Exists(Path.Combine(sysDirectory, "class/hwmon"))
            ? sysDirectory
            : "/sys";

    /// <summary>
    /// The processor's thermal zone or hwmon sensor: "cpu-thermal" on a Pi, "x86_pkg_temp" or coretemp on Intel, k10temp on AMD. Zones of
    /// boards and batteries ("acpitz", "bat") do not count.
    /// </summary>
    internal static string? FindCpuTemperature(string sysDirectory) =>
        Find(Path.Combine(sysDirectory, "class/thermal"), "thermal_zone*", "type", "temp")
        ?? Find(Path.Combine(sysDirectory, "class/hwmon"), "hwmon*", "name", "temp1_input");

    static string? Find(string directory, string pattern, string nameFile, string valueFile)
    {
        try
        {
            foreach (var zone in Directory.EnumerateDirectories(directory, pattern).Order(StringComparer.Ordinal))
            {
                var name = File.ReadAllText(Path.Combine(zone, nameFile)).Trim().ToLowerInvariant();
                var isCpu =
                    name.StartsWith("cpu", StringComparison.Ordinal)
                    || name.StartsWith("soc", StringComparison.Ordinal)
                    || name.StartsWith("bigcore", StringComparison.Ordinal)
                    || name is "x86_pkg_temp" or "coretemp" or "k10temp" or "zenpower";
                if (isCpu && File.Exists(Path.Combine(zone, valueFile)))
                    return Path.Combine(zone, valueFile);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // This kernel has no such class: the value stays absent.
        }
        return null;
    }

    public void Dispose()
    {
        stat.Dispose();
        memory.Dispose();
        temperature?.Dispose();
        power.Dispose();
    }
}
