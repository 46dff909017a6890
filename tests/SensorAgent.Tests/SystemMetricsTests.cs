using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class SystemMetricsTests
{
    [Fact]
    public void Reads_the_times_of_all_processors_from_the_first_line()
    {
        // proc_stat(5): user nice system idle iowait irq softirq steal guest guest_nice.
        Assert.True(CpuTime.TryParse("cpu  100 20 30 800 40 5 5 0 60 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"u8, out var time));

        Assert.Equal(new CpuTime(Idle: 840, Total: 1000), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cpu0 1 2 3 4 5 6 7 8\n")]
    [InlineData("cpu  1 2 3\n")]
    [InlineData("intr 5\n")]
    public void Does_not_read_times_where_there_are_none(string stat)
    {
        Assert.False(CpuTime.TryParse(System.Text.Encoding.ASCII.GetBytes(stat), out _));
    }

    [Fact]
    public void Is_busy_for_what_was_not_idle()
    {
        Assert.Equal(25, new CpuTime(1075, 1100).PercentSince(new CpuTime(1000, 1000)));
        Assert.Equal(0, new CpuTime(1100, 1100).PercentSince(new CpuTime(1000, 1000)));
        Assert.Equal(100, new CpuTime(1000, 1100).PercentSince(new CpuTime(1000, 1000)));
        // iowait ran backwards.
        Assert.Equal(100, new CpuTime(990, 1100).PercentSince(new CpuTime(1000, 1000)));
        Assert.Null(new CpuTime(1000, 1000).PercentSince(new CpuTime(1000, 1000)));
    }

    [Fact]
    public void Takes_memory_that_is_available_as_free()
    {
        Assert.Equal(25, SystemMetrics.MemoryPercent("MemTotal:        4000 kB\nMemFree:          100 kB\nMemAvailable:    3000 kB\n"u8));
        Assert.Null(SystemMetrics.MemoryPercent("MemTotal:        4000 kB\nMemFree:          100 kB\n"u8));
        Assert.Null(SystemMetrics.MemoryPercent(""u8));
    }

    [Theory]
    [InlineData("class/thermal/thermal_zone0", "type", "cpu-thermal", "temp", true)]
    [InlineData("class/thermal/thermal_zone3", "type", "x86_pkg_temp", "temp", true)]
    [InlineData("class/hwmon/hwmon1", "name", "k10temp", "temp1_input", true)]
    [InlineData("class/thermal/thermal_zone0", "type", "acpitz", "temp", false)]
    [InlineData("class/hwmon/hwmon0", "name", "nvme", "temp1_input", false)]
    public void Finds_the_sensor_of_the_processor_and_no_other(string zone, string nameFile, string name, string valueFile, bool isCpu)
    {
        using var sys = new TempDirectory();
        Directory.CreateDirectory(sys.File(zone));
        File.WriteAllText(sys.File($"{zone}/{nameFile}"), name + "\n");
        File.WriteAllText(sys.File($"{zone}/{valueFile}"), "48312\n");

        Assert.Equal(isCpu ? sys.File($"{zone}/{valueFile}") : null, SystemMetrics.FindCpuTemperature(sys.Path));
    }

    [Fact]
    public void Follows_the_files_and_leaves_out_what_cannot_be_read_any_more()
    {
        using var root = new TempDirectory();
        var clock = new FakeTimeProvider();
        Directory.CreateDirectory(root.File("class/thermal/thermal_zone0"));
        File.WriteAllText(root.File("class/thermal/thermal_zone0/type"), "cpu-thermal\n");
        File.WriteAllText(root.File("class/thermal/thermal_zone0/temp"), "48312\n");
        File.WriteAllText(root.File("stat"), "cpu  0 0 0 1000 0 0 0 0 0 0\n");
        File.WriteAllText(root.File("meminfo"), "MemTotal: 1000 kB\nMemAvailable: 400 kB\n");
        using var system = new SystemMetrics(root.Path, root.Path, root.Path, new Kernel(), clock);
        clock.Advance(TimeSpan.FromSeconds(1));
        File.WriteAllText(root.File("stat"), "cpu  30 0 0 1070 0 0 0 0 0 0\n");

        var first = new ThermalReading();
        system.AddTo(first);

        Assert.Equal((48.312, 30.0, 60.0), (first.CpuTemperatureC, first.CpuPercent, first.MemoryPercent));
        Assert.True(first.DiskFreeMb > 0);

        File.WriteAllText(root.File("class/thermal/thermal_zone0/temp"), "-274000\n");
        File.WriteAllText(root.File("meminfo"), "gone\n");
        clock.Advance(TimeSpan.FromMilliseconds(1));
        var second = new ThermalReading();
        system.AddTo(second);

        Assert.False(second.HasCpuTemperatureC);
        Assert.False(second.HasMemoryPercent);
        // Too soon for another look at the processor: the last one holds.
        Assert.Equal(30.0, second.CpuPercent);
    }

    [Fact]
    public void Reads_this_machine()
    {
        using var system = new SystemMetrics("/proc", "/sys", Path.GetTempPath(), new Kernel(), TimeProvider.System);

        var reading = new ThermalReading();
        system.AddTo(reading);

        Assert.InRange(reading.MemoryPercent, 0.1, 99.9);
        Assert.True(reading.DiskFreeMb > 0);
        if (reading.HasCpuTemperatureC)
            Assert.InRange(reading.CpuTemperatureC, -40, 150);
    }
}
