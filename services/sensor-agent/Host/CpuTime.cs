using System.Buffers.Text;

namespace ThermalStreaming.SensorAgent;

/// <summary>Processor time of all cores since the machine started, in ticks (proc_stat(5), the line "cpu").</summary>
readonly record struct CpuTime(ulong Idle, ulong Total)
{
    public static bool TryParse(ReadOnlySpan<byte> stat, out CpuTime time)
    {
        time = default;
        if (!stat.StartsWith("cpu "u8))
            return false;
        var rest = stat[4..];
        ulong idle = 0,
            total = 0;
        // user nice system idle iowait irq softirq steal; guest and guest_nice after them are already in user and nice.
        for (var field = 0; field < 8; field++)
        {
            rest = rest.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(rest, out ulong ticks, out var length))
                return false;
            rest = rest[length..];
            total += ticks;
            if (field is 3 or 4)
                idle += ticks;
        }
        time = new CpuTime(idle, total);
        return true;
    }

    /// <summary>Share of the time since <paramref name="before"/> in which anything ran, 0 to 100; null when no tick has passed.</summary>
    public double? PercentSince(CpuTime before)
    {
        if (Total <= before.Total)
            return null;
        // iowait may run backwards on a machine with several cores.
        var total = Total - before.Total;
        var idle = Idle > before.Idle ? Math.Min(Idle - before.Idle, total) : 0;
        return 100.0 * (total - idle) / total;
    }
}
