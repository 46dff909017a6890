using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>What a Pi's kernel shows of its supply, in a directory in the place of /sys.</summary>
public sealed class PiPowerTests : IDisposable
{
    readonly TempDirectory sys = new();

    public void Dispose() => sys.Dispose();

    void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(sys.File(path))!);
        File.WriteAllText(sys.File(path), text);
    }

    void Alarm(int value)
    {
        Write("class/hwmon/hwmon0/name", "cpu_thermal\n");
        Write("class/hwmon/hwmon0/in0_lcrit_alarm", "0\n");
        Write("class/hwmon/hwmon1/name", "rpi_volt\n");
        Write("class/hwmon/hwmon1/in0_lcrit_alarm", $"{value}\n");
    }

    [Fact]
    public void Another_machine_says_nothing_rather_than_that_all_is_well()
    {
        Write("class/hwmon/hwmon0/name", "nct6798\n");
        Write("class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
        using var power = new PiPower(sys.Path);

        Assert.Null(power.UnderVoltage());
        Assert.Null(power.Throttled());
        Assert.Equal(CheckOutcome.Ok, PiPower.Check(sys.Path).Outcome);
    }

    [Fact]
    public void The_alarm_of_the_voltage_sensor_is_followed()
    {
        Alarm(0);
        using var power = new PiPower(sys.Path);
        Assert.False(power.UnderVoltage());

        Alarm(1);
        Assert.True(power.UnderVoltage());
        Assert.Null(power.Throttled());
    }

    [Theory]
    [InlineData("devices/platform/soc/soc:firmware/get_throttled")]
    [InlineData("bus/platform/drivers/raspberrypi-firmware/soc@107c000000:firmware/get_throttled")]
    public void The_firmwares_bits_are_read_wherever_the_device_is(string path)
    {
        Write(path, "50005\n");
        using var power = new PiPower(sys.Path);

        Assert.Equal(0x50005u, power.Throttled());
        Assert.True(power.UnderVoltage());

        Write(path, "0\n");
        Assert.Equal(0u, power.Throttled());
        Assert.False(power.UnderVoltage());

        Write(path, "nonsense\n");
        Assert.Null(power.Throttled());
        Assert.Null(power.UnderVoltage());
    }

    [Theory]
    [InlineData("50005", CheckOutcome.Failed, "power supply or its cable")]
    [InlineData("50000", CheckOutcome.Warning, "power supply or its cable")]
    [InlineData("80008", CheckOutcome.Warning, "too hot")]
    [InlineData("0", CheckOutcome.Ok, "")]
    public void Check_names_the_cause(string bits, CheckOutcome outcome, string cause)
    {
        Write("devices/platform/soc/soc:firmware/get_throttled", bits + "\n");

        var result = PiPower.Check(sys.Path);

        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(cause, result.Cause, StringComparison.Ordinal);
        Assert.Equal(outcome == CheckOutcome.Ok, result.Fix.Length == 0);
    }

    [Fact]
    public void A_reading_has_what_the_machine_tells_and_never_0_for_the_rest()
    {
        var clock = new ManualClock();
        var kernel = new FakeKernel(clock) { UpBefore = TimeSpan.FromHours(30), Load = 1.25 };
        // What lxcfs shows in a container of its own: neither is the machine's.
        Write("loadavg", "0.00 0.00 0.00 1/3 7\n");
        Write("uptime", "60.00 50.00\n");
        using (var system = new SystemMetrics(sys.Path, sys.Path, sys.Path, kernel, clock))
        {
            var reading = new ThermalReading();
            system.AddTo(reading);
            Assert.False(reading.HasUnderVoltage || reading.HasThrottled);
            Assert.Equal((1.25, 108_000UL), (reading.LoadAverage, reading.UptimeS));
        }

        Alarm(1);
        Write("devices/platform/soc/soc:firmware/get_throttled", "50005\n");
        kernel.Load = null;
        using var pi = new SystemMetrics(sys.Path, sys.Path, sys.Path, kernel, clock);
        var second = new ThermalReading();
        pi.AddTo(second);

        Assert.Equal((true, 0x50005u, false), (second.UnderVoltage, second.Throttled, second.HasLoadAverage));
        Assert.Equal(new SystemFigures(true, 0x50005, null, TimeSpan.FromHours(30)), pi.Last);
    }
}
