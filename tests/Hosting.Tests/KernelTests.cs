using System.Globalization;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>The kernel of this machine against what it writes into /proc.</summary>
public sealed class KernelTests
{
    readonly Kernel kernel = new();

    static double Number(string file) => double.Parse(File.ReadAllText(file).Split(' ')[0], CultureInfo.InvariantCulture);

    [Fact]
    public void The_time_since_the_start_is_that_of_proc_uptime()
    {
        var before = Number("/proc/uptime");
        var sinceBoot = kernel.SinceBoot().TotalSeconds;

        Assert.InRange(sinceBoot, before - 0.02, Number("/proc/uptime") + 0.02);
    }

    [Fact]
    public void The_load_is_that_of_proc_loadavg()
    {
        // Every 5 s another one: it may change in between.
        for (var attempt = 0; ; attempt++)
        {
            var before = Number("/proc/loadavg");
            var load = kernel.LoadAverage();
            if (before != Number("/proc/loadavg") && attempt < 5)
                continue;
            Assert.NotNull(load);
            Assert.InRange(load.Value, before - 0.011, before + 0.011);
            return;
        }
    }

    [Fact]
    public void How_far_the_clock_is_from_another_is_known_only_while_it_follows_one()
    {
        if (kernel.ClockDeviation() is not { } deviation)
        {
            Assert.NotEqual(true, kernel.IsClockSynchronised());
            return;
        }
        // The kernel slews at most half a second, and calls a clock unsynchronised when its error exceeds 16 s.
        Assert.InRange(deviation.Offset.TotalSeconds, -0.5, 0.5);
        Assert.InRange(deviation.MaxError.TotalSeconds, 0, 16);
    }

    [Fact]
    public void The_start_has_a_name_that_stays()
    {
        // As the files of clocks and sensors have it, whoever of the two asks.
        Assert.Equal(Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id")).ToString("N"), kernel.BootId);
        Assert.Equal(kernel.BootId, new Kernel().BootId);
    }

    [Fact]
    public void The_clock_is_synchronised_or_not_and_the_kernel_says_which() => Assert.NotNull(kernel.IsClockSynchronised());
}
