using System.Text.Json;

namespace ThermalStreaming.Readings.Tests;

public sealed class InverterRowTests
{
    static Payload Of(params InverterReading[] readings)
    {
        var batch = new ReadingBatch { DeviceId = "pi-1", BootId = "b1" };
        batch.Inverters.AddRange(readings);
        return Rows.Decode(batch, ReadingKind.Inverter);
    }

    [Fact]
    public void Has_the_11_original_keys_first_and_in_order_then_the_added_ones()
    {
        var row = Of(Rows.Inverter(7)).Row().Replace("\\u002B", "+", StringComparison.Ordinal);

        Assert.Equal(
            """
            {"id":"Inverter_1","PAC":2500.13,"energy_output":15000,"energy_conversion_efficiency":95,"performance_ratio":0.8124,"system_uptime":99,
            "temperature":40,"input_voltage":600,"output_voltage":230,"frequency":50.002,"fault_status":"None","device_id":"pi-1","boot_id":"b1","sequence":7,
            "observed_at":"2026-11-20T10:13:48.123456+00:00"}
            """.ReplaceLineEndings(""),
            row
        );
        Assert.Equal(Rows.InverterKeys, JsonDocument.Parse(row).RootElement.Keys());
    }

    [Theory]
    [InlineData("clock:Unsynchronised", true)]
    [InlineData("", false)]
    [InlineData("a\"b", false)]
    public void Says_what_is_odd_only_where_there_is_something(string quality, bool isSaid)
    {
        var reading = Rows.Inverter(7);
        reading.Quality = quality;

        var row = Of(reading).RowJson();

        Assert.Equal(isSaid ? [.. Rows.InverterKeys, "quality"] : Rows.InverterKeys, row.Keys());
        if (isSaid)
            Assert.Equal(quality, row.GetProperty("quality").GetString());
    }

    [Fact]
    public void Has_null_for_what_is_missing()
    {
        var row = Of(new InverterReading { InverterId = "Inverter_9", FaultStatus = FaultStatus.SensorFailure }).RowJson();

        Assert.Equal(Rows.InverterKeys, row.Keys());
        Assert.Equal(10, row.EnumerateObject().Count(property => property.Value.ValueKind == JsonValueKind.Null));
        Assert.Equal("Sensor Failure", row.GetProperty("fault_status").GetString());
    }

    public static TheoryData<string, InverterReading, FaultStatus> Faults()
    {
        InverterReading With(Action<InverterReading> change)
        {
            var reading = Rows.Inverter();
            change(reading);
            return reading;
        }

        return new()
        {
            { "well", Rows.Inverter(), FaultStatus.None },
            { "no temperature", With(r => r.ClearTemperatureC()), FaultStatus.SensorFailure },
            { "no input voltage", With(r => r.ClearInputVoltageV()), FaultStatus.SensorFailure },
            { "no frequency", With(r => r.ClearFrequencyHz()), FaultStatus.SensorFailure },
            { "no power is no fault", With(r => r.ClearPacW()), FaultStatus.None },
            { "hot", With(r => r.TemperatureC = 55.01), FaultStatus.Overheat },
            { "not yet hot", With(r => r.TemperatureC = 55), FaultStatus.None },
            { "under", With(r => r.InputVoltageV = 519.99), FaultStatus.UnderVoltage },
            { "not yet under", With(r => r.InputVoltageV = 520), FaultStatus.None },
            { "over", With(r => r.InputVoltageV = 680.01), FaultStatus.OverVoltage },
            { "not yet over", With(r => r.InputVoltageV = 680), FaultStatus.None },
            { "slow", With(r => r.FrequencyHz = 49.499), FaultStatus.FrequencyError },
            { "fast", With(r => r.FrequencyHz = 50.501), FaultStatus.FrequencyError },
            { "in between", With(r => r.FrequencyHz = 50.5), FaultStatus.None },
            { "heat goes before voltage", With(r => (r.TemperatureC, r.InputVoltageV) = (56, 515)), FaultStatus.Overheat },
            {
                "a missing value goes before heat",
                With(r =>
                {
                    r.TemperatureC = 56;
                    r.ClearFrequencyHz();
                }),
                FaultStatus.SensorFailure
            },
            { "voltage goes before frequency", With(r => (r.InputVoltageV, r.FrequencyHz) = (515, 49)), FaultStatus.UnderVoltage },
        };
    }

    [Theory, MemberData(nameof(Faults))]
    public void Derives_the_fault_as_the_original_did(string what, InverterReading reading, FaultStatus expected)
    {
        Assert.True(expected == InverterFaults.Derive(reading), what);
    }

    [Fact]
    public void Every_fault_has_a_text_that_reads_back()
    {
        foreach (var status in Enum.GetValues<FaultStatus>())
            Assert.Equal(status, InverterFaults.Parse(InverterFaults.Text(status)));
        Assert.Equal(6, Enum.GetValues<FaultStatus>().Select(InverterFaults.Text).Distinct().Count());
        Assert.Null(InverterFaults.Parse("none"));
    }
}
