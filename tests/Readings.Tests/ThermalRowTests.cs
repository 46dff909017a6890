using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

public sealed class ThermalRowTests
{
    [Fact]
    public void Has_the_25_original_keys_first_and_in_order_then_the_added_ones()
    {
        var row = Rows.Decode(Rows.Batch(Rows.Full())).RowJson();

        Assert.Equal(25, Rows.OriginalThermalKeys.Length);
        Assert.Equal([.. Rows.OriginalThermalKeys, .. Rows.AddedThermalKeys], row.Keys());
    }

    [Fact]
    public void Spells_every_value_as_the_original_did()
    {
        var row = Rows.Decode(Rows.Batch(Rows.Full(sequence: 42))).Row();

        var expected = """
            {"uuid":"0195b1a2-0c3d-7e4f-8a5b-6c7d8e9f0a1b","rowid":"20261120101348_0195b1a2-0c3d-7e4f-8a5b-6c7d8e9f0a1b","ipaddress":"192.0.2.7",
            "macaddress":"dc:a6:32:01:02:03","host":"pi","hostname":"pi","local_hostname":"pi.local","cputempf":125,"runtime":90,
            "systemtime":"11/20/2026 10:13:48","starttime":"11/20/2026 10:12:17","endtime":"1795169628.124956","te":"0.001500","ts":1795169628,
            "datetimestamp":"2026-11-20T10:13:48.123456+00:00","cpu":12.3,"memory":43.2,"diskusage":"23456 MB","temperature":21.1235,"humidity":45.68,
            "co2":612,"pressure":101325.46,"temperatureicp":71.24,"equivalentco2ppm":480,"totalvocppb":33,"device_id":"pi-1",
            "boot_id":"0195b1a20c3d7e4f8a5b6c7d8e9f0a1b","sequence":42,"forwarded_at":"2026-11-20T10:13:50.000007+00:00","channel_id":"channel-0",
            "stream_offset":4711}
            """;
        Assert.Equal(expected.ReplaceLineEndings(""), row.Replace("\\u002B", "+", StringComparison.Ordinal));
    }

    [Fact]
    public void Has_null_and_never_0_for_what_was_not_delivered()
    {
        var batch = Rows.Batch(new ThermalReading { Sequence = 1, ObservedAtUs = Rows.ObservedAtUs });
        batch.Host = null;
        batch.BootId = "";

        var row = Rows.Decode(batch).RowJson();

        Assert.Equal([.. Rows.OriginalThermalKeys, .. Rows.AddedThermalKeys], row.Keys());
        var nulls = row.EnumerateObject()
            .Where(property => property.Value.ValueKind == JsonValueKind.Null)
            .Select(property => property.Name);
        Assert.Equal(
            [
                "uuid",
                "rowid",
                "ipaddress",
                "macaddress",
                "host",
                "hostname",
                "local_hostname",
                "cputempf",
                "runtime",
                "starttime",
                "cpu",
                "memory",
                "diskusage",
                "temperature",
                "humidity",
                "co2",
                "pressure",
                "temperatureicp",
                "equivalentco2ppm",
                "totalvocppb",
                "boot_id",
            ],
            nulls
        );
    }

    [Fact]
    public void Says_which_sensors_delivered_and_what_is_odd_only_where_a_reading_says_it()
    {
        var reading = Rows.Full();
        (reading.Sensors, reading.Quality, reading.GasResistanceOhm) = ("bme68x,icp10125", "icp10125:Stuck", 117_296.6);

        var row = Rows.Decode(Rows.Batch(reading)).RowJson();

        Assert.Equal([.. Rows.OriginalThermalKeys, .. Rows.AddedThermalKeys, "gas_resistance", "quality", "sensors"], row.Keys());
        Assert.Equal(
            (117_297, "icp10125:Stuck", "bme68x,icp10125"),
            (row.GetProperty("gas_resistance").GetInt32(), row.GetProperty("quality").GetString(), row.GetProperty("sensors").GetString())
        );
    }

    [Fact]
    public void Says_how_the_machine_is_only_where_it_tells()
    {
        var reading = Rows.Full();
        (reading.UnderVoltage, reading.Throttled, reading.LoadAverage, reading.UptimeS) = (false, 0x50005, 0.534, 86_401);

        var row = Rows.Decode(Rows.Batch(reading)).RowJson();

        Assert.Equal(
            [.. Rows.OriginalThermalKeys, .. Rows.AddedThermalKeys, "under_voltage", "throttled", "load_1m", "uptime_s"],
            row.Keys()
        );
        // A supply that is good is said: false is not null.
        Assert.Equal(JsonValueKind.False, row.GetProperty("under_voltage").ValueKind);
        Assert.Equal(
            (0x50005, 0.53, 86_401),
            (row.GetProperty("throttled").GetInt32(), row.GetProperty("load_1m").GetDouble(), row.GetProperty("uptime_s").GetInt32())
        );
    }

    [Theory]
    [InlineData(1e11, 1e7, 1_000_000_000_000_000)]
    [InlineData(-1e300, double.NaN, ulong.MaxValue)]
    [InlineData(double.PositiveInfinity, double.NegativeInfinity, ulong.MaxValue)]
    public void Leaves_out_what_no_machine_is_and_no_column_holds(double ohm, double load, ulong uptime)
    {
        var reading = Rows.Full();
        (reading.GasResistanceOhm, reading.LoadAverage, reading.UptimeS) = (ohm, load, uptime);

        Assert.Equal([.. Rows.OriginalThermalKeys, .. Rows.AddedThermalKeys], Rows.Decode(Rows.Batch(reading)).RowJson().Keys());
    }

    [Theory]
    [InlineData("a\"b")]
    [InlineData("ü")]
    [InlineData("line\nbreak")]
    [InlineData("")]
    public void Leaves_out_an_origin_that_is_none(string text)
    {
        var reading = Rows.Full();
        (reading.Sensors, reading.Quality, reading.GasResistanceOhm) = (text, new string('x', 201), double.NaN);

        Assert.Equal([.. Rows.OriginalThermalKeys, .. Rows.AddedThermalKeys], Rows.Decode(Rows.Batch(reading)).RowJson().Keys());
    }

    [Fact]
    public void Keeps_a_true_zero()
    {
        var row = Rows.Decode(
                Rows.Batch(
                    new ThermalReading
                    {
                        Sequence = 1,
                        ObservedAtUs = Rows.ObservedAtUs,
                        TemperatureC = 0,
                        TvocPpb = 0,
                        DiskFreeMb = 0,
                    }
                )
            )
            .RowJson();

        Assert.Equal(0, row.GetProperty("temperature").GetDouble());
        Assert.Equal(0, row.GetProperty("totalvocppb").GetDouble());
        Assert.Equal("0 MB", row.GetProperty("diskusage").GetString());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Takes_what_is_no_number_as_not_delivered(double value)
    {
        var row = Rows.Decode(
                Rows.Batch(
                    new ThermalReading
                    {
                        Sequence = 1,
                        ObservedAtUs = Rows.ObservedAtUs,
                        TemperatureC = value,
                        CpuTemperatureC = value,
                        CpuPercent = value,
                    }
                )
            )
            .RowJson();

        Assert.Equal(JsonValueKind.Null, row.GetProperty("temperature").ValueKind);
        Assert.Equal(JsonValueKind.Null, row.GetProperty("cputempf").ValueKind);
        Assert.Equal(JsonValueKind.Null, row.GetProperty("cpu").ValueKind);
    }

    [Fact]
    public void Survives_the_largest_values_of_every_field()
    {
        var reading = new ThermalReading
        {
            Sequence = ulong.MaxValue,
            ObservedAtUs = 253_402_300_799_999_999,
            DurationUs = uint.MaxValue,
            Id = ByteString.CopyFrom(new byte[17]),
            TemperatureC = double.MaxValue,
            CpuTemperatureC = double.MaxValue,
            DiskFreeMb = ulong.MaxValue,
            HumidityPercent = double.MinValue,
            Co2Ppm = double.MinValue,
            PressurePa = double.MinValue,
            IcpTemperatureF = double.MinValue,
            EquivalentCo2Ppm = double.MinValue,
            TvocPpb = double.MinValue,
            CpuPercent = double.MinValue,
            MemoryPercent = double.MinValue,
            GasResistanceOhm = -99_999_999_999,
            UnderVoltage = false,
            Throttled = uint.MaxValue,
            LoadAverage = -9_999_999.99,
            UptimeS = 999_999_999_999_999,
            Quality = new string('q', 200),
            Sensors = new string('s', 200),
        };
        var batch = Rows.Batch(reading);
        batch.Host.StartedAtUs = 253_402_300_799_999_999;

        var row = Rows.Decode(batch).RowJson();

        Assert.Equal("9999-12-31T23:59:59.999999+00:00", row.GetProperty("datetimestamp").GetString());
        Assert.Equal(ulong.MaxValue, row.GetProperty("sequence").GetUInt64());
        Assert.Equal("18446744073709551615 MB", row.GetProperty("diskusage").GetString());
        Assert.Equal(reading.Sensors, row.GetProperty("sensors").GetString());
        Assert.Equal(JsonValueKind.Null, row.GetProperty("uuid").ValueKind);
    }

    [Fact]
    public void Runtime_is_never_negative_when_the_clock_was_set_back()
    {
        var batch = Rows.Batch(Rows.Full());
        batch.Host.StartedAtUs = Rows.ObservedAtUs + 3_600_000_000;

        Assert.Equal(0, Rows.Decode(batch).RowJson().GetProperty("runtime").GetInt64());
    }

    [Fact]
    public void A_number_is_rounded_as_decimals_are_and_spelled_in_the_shortest_way()
    {
        var (random, seed) = Seed.Next();
        for (var round = 0; round < 20_000; round++)
        {
            var value = random.Next(4) switch
            {
                0 => BitConverter.Int64BitsToDouble(random.NextInt64()),
                1 => random.Next(-2_000_000, 2_000_000) / 1000.0,
                2 => random.Next(-2_000_000, 2_000_000) / 100_000.0,
                _ => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(20)),
            };
            if (!double.IsFinite(value))
                continue;
            var text = Rows.Decode(Rows.Batch(new ThermalReading { Sequence = 1, TemperatureC = value }))
                .RowJson()
                .GetProperty("temperature")
                .GetRawText();
            var rounded = Math.Round(value, 4);
            // JSON has no use for a zero's sign.
            var expected = rounded == 0 ? "0" : rounded.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(text == expected, $"seed {seed}: {value:R} became {text} and not {expected}");
        }
    }

    [Fact]
    public void Takes_the_longest_texts_of_a_host_however_they_are_spelled()
    {
        // Of a control character one byte becomes six.
        var longest = new string('\u0001', 100);
        var batch = Rows.Batch(Rows.Full());
        batch.Host = new Host
        {
            Hostname = longest,
            LocalHostname = longest,
            IpAddress = longest,
            MacAddress = longest,
            StartedAtUs = 1,
        };
        batch.BootId = new string('\u0001', 64);
        Assert.Equal(longest, Rows.Decode(batch).RowJson().GetProperty("local_hostname").GetString());
    }
}
