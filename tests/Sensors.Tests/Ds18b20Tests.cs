namespace ThermalStreaming.Sensors.Tests;

/// <summary>A DS18B20 as Linux shows it: a directory with the file w1_slave.</summary>
public sealed class Ds18b20Tests : IDisposable
{
    const string Device = "28-0316a2794aff";

    /// <summary>21.5625 °C.</summary>
    const string Ordinary = "59 01 4b 46 7f ff 07 10 ";

    readonly SensorStand stand = new();

    public void Dispose() => stand.Dispose();

    OneWireBus Bus => new(stand.Data.Path, stand.Clock);

    Ds18b20 Driver() => new(Bus, Device, stand.Clock);

    /// <summary>What w1_therm prints; the checksum is the right one unless the test says otherwise.</summary>
    void Show(string scratchpad, int thousandths, string verdict = "YES", string device = Device)
    {
        var crc = Checksum(Convert.FromHexString(scratchpad.Replace(" ", "", StringComparison.Ordinal)));
        var bytes = $"{scratchpad}{crc:x2}";
        Directory.CreateDirectory(stand.Data.File(device));
        File.WriteAllText(stand.Data.File($"{device}/w1_slave"), $"{bytes} : crc={crc:x2} {verdict}\n{bytes} t={thousandths}\n");
    }

    // Bit by bit, as the application note draws the shift register: another way than the product's.
    static byte Checksum(byte[] bytes)
    {
        var register = new bool[8];
        foreach (var value in bytes)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var feedback = register[7] ^ (value >> bit & 1) != 0;
                for (var i = 7; i > 0; i--)
                    register[i] = register[i - 1] ^ (feedback && i is 4 or 5);
                register[0] = feedback;
            }
        }
        return (byte)Enumerable.Range(0, 8).Sum(i => register[i] ? 1 << (7 - i) : 0);
    }

    async Task<SensorErrorKind> FailsAsync(Ds18b20 driver)
    {
        var error = (await stand.RunAsync(driver.MeasureAsync(default))).Error!;
        Assert.Equal($"ds18b20@w1:{Device}", error.Sensor);
        return error.Kind;
    }

    [Theory]
    // Of the kernel's documentation and of many forums.
    [InlineData("50 05 4b 46 7f ff 0c 10", 0x1C)]
    [InlineData("72 01 4b 46 7f ff 0e 10", 0x57)]
    [InlineData("7f 01 4b 46 7f ff 01 10", 0x33)]
    public void Checksums(string scratchpad, byte checksum)
    {
        var bytes = Convert.FromHexString(scratchpad.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(checksum, Ds18b20.Checksum(bytes));
        Assert.Equal(checksum, Checksum(bytes));
    }

    [Theory]
    [InlineData(Ordinary, 21_562, 21.562)]
    [InlineData("5e ff 4b 46 7f ff 02 10 ", -10_125, -10.125)]
    [InlineData("90 fc 4b 46 7f ff 10 10 ", -55_000, -55)]
    [InlineData("d0 07 4b 46 7f ff 10 10 ", 125_000, 125)]
    public async Task Delivers_what_the_kernel_says(string scratchpad, int thousandths, double celsius)
    {
        Show(scratchpad, thousandths);
        var driver = Driver();
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));

        Assert.Equal(celsius, (await stand.RunAsync(driver.MeasureAsync(default))).Value!.TemperatureC);
        Assert.Equal($"DS18B20, {Device}", driver.Description);
    }

    [Fact]
    public async Task A_wrong_checksum_is_no_value_whether_the_kernel_notices_or_not()
    {
        var driver = Driver();
        Show(Ordinary, 21_562, verdict: "NO");
        Assert.Equal(SensorErrorKind.Checksum, await FailsAsync(driver));
        File.WriteAllText(
            stand.Data.File($"{Device}/w1_slave"),
            "59 01 4b 46 7f ff 07 10 00 : crc=00 YES\n59 01 4b 46 7f ff 07 10 00 t=21562\n"
        );
        Assert.Equal(SensorErrorKind.Checksum, await FailsAsync(driver));
    }

    [Fact]
    public async Task A_data_line_at_ground_reads_as_zeros_with_a_right_checksum_and_is_no_0_degrees()
    {
        Show("00 00 00 00 00 00 00 00 ", 0);

        Assert.Equal(SensorErrorKind.Implausible, await FailsAsync(Driver()));
    }

    [Fact]
    public async Task The_85_degrees_of_the_power_on_are_no_value_but_hot_water_is()
    {
        var driver = Driver();
        Show("50 05 4b 46 7f ff 0c 10 ", 85_000);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        Assert.Equal(SensorErrorKind.NoData, await FailsAsync(driver));

        Show("31 05 4b 46 7f ff 0f 10 ", 83_062);
        Assert.NotNull((await stand.RunAsync(driver.MeasureAsync(default))).Value);
        Show("50 05 4b 46 7f ff 0c 10 ", 85_000);
        Assert.Equal(85, (await stand.RunAsync(driver.MeasureAsync(default))).Value!.TemperatureC);
    }

    [Theory]
    [InlineData(-127_000)]
    [InlineData(127_937)]
    public async Task Beyond_its_range_there_is_no_value(int thousandths)
    {
        Show(Ordinary, thousandths);

        Assert.Equal(SensorErrorKind.Implausible, await FailsAsync(Driver()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("59 01 4b 46 : crc=1c YES\n59 01 t=21562\n")]
    [InlineData("59 01 4b 46 7f ff 07 10 0f : crc=0f YES\n")]
    [InlineData("zz 01 4b 46 7f ff 07 10 0f : crc=0f YES\nzz t=1\n")]
    public async Task Half_a_file_is_no_value(string text)
    {
        Show(Ordinary, 1);
        await File.WriteAllTextAsync(stand.Data.File($"{Device}/w1_slave"), text);

        Assert.True(await FailsAsync(Driver()) is SensorErrorKind.NoData or SensorErrorKind.Checksum);
    }

    [Fact]
    public async Task One_that_is_gone_fails_and_comes_back()
    {
        var driver = Driver();
        Assert.Equal(SensorErrorKind.NotAcknowledged, await FailsAsync(driver));
        Show(Ordinary, 21_562);

        Assert.NotNull((await stand.RunAsync(driver.MeasureAsync(default))).Value);
    }

    [Fact]
    public void Other_families_are_left_alone_and_a_machine_without_the_bus_has_none()
    {
        Show(Ordinary, 21_562);
        Show(Ordinary, 21_562, device: "28-00000a");
        Show(Ordinary, 21_562, device: "10-000802");
        Directory.CreateDirectory(stand.Data.File("w1_bus_master1"));

        Assert.Equal(["28-00000a", Device], Bus.Devices());
        Assert.Empty(new OneWireBus(stand.Data.File("none"), stand.Clock).Devices());
    }

    [Fact]
    public async Task A_read_that_hangs_is_a_problem_of_the_bus_and_nobody_waits_longer_than_he_wants()
    {
        Directory.CreateDirectory(stand.Data.File(Device));
        var pipe = stand.Data.File($"{Device}/w1_slave");
        using (var made = System.Diagnostics.Process.Start("mkfifo", pipe))
            await made.WaitForExitAsync();
        var bus = Bus;
        using var stop = new CancellationTokenSource();
        var read = new Ds18b20(bus, Device, stand.Clock).MeasureAsync(stop.Token);
        while (bus.Problem is null)
        {
            stand.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
        Assert.Contains("has not finished a read for", bus.Problem, StringComparison.Ordinal);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        // Lets the thread end.
        await File.WriteAllTextAsync(pipe, "");
        while (bus.Problem is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
    }
}
