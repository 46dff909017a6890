using System.Runtime.InteropServices;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Facts about the machine that the kernel gives and .NET does not ask for. None needs a privilege or a device, even in a container:
/// Docker's seccomp profile has allowed adjtimex(2) and clock_adjtime(2) since Engine 20.10, and only setting the clock needs CAP_SYS_TIME.
/// Thread-safe.
/// </summary>
public partial class Kernel
{
    // struct timex of a 64-bit Linux: `status` is at byte 40 of 208.
    const int TimexBytes = 256;
    const int TimexStatus = 40;
    const int NotSynchronised = 0x40;

    const int ClockBootTime = 7;

    // struct sysinfo of a 64-bit Linux: uptime, then three loads in 1/65,536.
    const int SysinfoBytes = 128;
    const int SysinfoLoad = 8;
    const double LoadUnit = 65_536;

    /// <summary>Whether the system clock follows another one, as an NTP client tells the kernel; null if the kernel does not say.</summary>
    public virtual bool? IsClockSynchronised()
    {
        Span<byte> timex = stackalloc byte[TimexBytes];
        timex.Clear();
        return adjtimex(timex) < 0 ? null : (BitConverter.ToInt32(timex[TimexStatus..]) & NotSynchronised) == 0;
    }

    /// <summary>
    /// Time since the machine started, suspended time included (CLOCK_BOOTTIME). Nobody can set it, and it runs at the rate of the system
    /// clock, so the difference between the two changes only when the system clock is stepped. CLOCK_MONOTONIC stands still in suspend.
    /// </summary>
    public virtual TimeSpan SinceBoot()
    {
        if (clock_gettime(ClockBootTime, out var time) != 0)
            throw new InvalidOperationException("CLOCK_BOOTTIME cannot be read; Linux has it since 2.6.39.");
        return TimeSpan.FromTicks(time.Seconds * TimeSpan.TicksPerSecond + time.Nanoseconds / 100);
    }

    /// <summary>
    /// The kernel's name for the time since the machine started, different after each restart; without its dashes, because files on disk
    /// have that form. Null if the kernel does not say.
    /// </summary>
    public string? BootId => ReadBootId()?.Replace("-", "", StringComparison.Ordinal).Trim() is { Length: > 0 } id ? id : null;

    /// <summary>The kernel's text; null if it does not say.</summary>
    protected virtual string? ReadBootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Tasks that ran or wanted to, averaged over a minute; null if the kernel does not say. Uses sysinfo(2), because lxcfs may replace
    /// /proc/loadavg by a container's own figures.
    /// </summary>
    public virtual double? LoadAverage()
    {
        Span<byte> info = stackalloc byte[SysinfoBytes];
        info.Clear();
        return sysinfo(info) == 0 ? BitConverter.ToUInt64(info[SysinfoLoad..]) / LoadUnit : null;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int adjtimex(Span<byte> timex);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sysinfo(Span<byte> info);
}
