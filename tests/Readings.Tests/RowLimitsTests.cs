using Google.Protobuf;

namespace ThermalStreaming.Readings.Tests;

public sealed class RowLimitsTests
{
    static readonly RowLimits Limits = new(
        [
            new("TEMPERATURE", "DECIMAL(10, 4)", ColumnType.Number, 6, 4),
            new("CPU", "DECIMAL(5, 1)", ColumnType.Number, 4, 1),
            new("CPUTEMPF", "INTEGER", ColumnType.Number, 38),
            new("HOSTNAME", "VARCHAR(10)", ColumnType.Text, 10),
            new("DISKUSAGE", "VARCHAR(8)", ColumnType.Text, 8),
            new("RAW_DATA", "VARIANT", ColumnType.Any),
            new("ROOM", "VARCHAR(3)", ColumnType.Text, 3),
            new("SEEN", "TIMESTAMP_NTZ", ColumnType.Timestamp),
            new("AT", "TIME", ColumnType.Time),
            new("WARM", "BOOLEAN", ColumnType.Boolean),
            new("RATIO", "FLOAT", ColumnType.Real),
            new("WIFI", "OBJECT", ColumnType.Map),
            new("LIST", "ARRAY", ColumnType.List),
        ],
        isOwnTable: true
    );

    [Theory]
    [InlineData("999999.9999")]
    [InlineData("-999999.9999")]
    [InlineData("999999.99994")]
    [InlineData("0.00000000000000000001")]
    [InlineData("123456")]
    [InlineData("9.9e5")]
    [InlineData("1e-400")]
    [InlineData("000.5", true)]
    [InlineData("0000000000012.5", true)]
    [InlineData("0e999")]
    public void A_number_that_fits(string number, bool isText = false) =>
        Assert.Null(Rows.Refusal($$"""{"temperature":{{(isText ? $"\"{number}\"" : number)}}}""", limits: Limits));

    [Theory]
    [InlineData("123456789012345678901234567890")]
    [InlineData("1000000")]
    [InlineData("-1000000")]
    [InlineData("999999.99995")]
    [InlineData("999999.9999500")]
    [InlineData("-999999.99999999999999999999")]
    [InlineData("1e6")]
    [InlineData("1e400")]
    [InlineData("9999999e-0")]
    [InlineData("\"1000000\"")]
    public void A_number_that_does_not_fit_names_column_limit_and_value(string number) =>
        Assert.Equal(
            $"temperature \"{number.Trim('"')}\" does not fit into column TEMPERATURE DECIMAL(10, 4), which holds at most 6 digits before "
                + "the point",
            Rows.Refusal($$"""{"temperature":{{number}}}""", limits: Limits)
        );

    [Theory]
    [InlineData("\"gas_resistance\":1234567890123", true)]
    [InlineData("\"gas_resistance\":\"n/a\"", true)]
    [InlineData("\"gas_resistance\":117297", false)]
    [InlineData("\"throttled\":\"0x50005\"", true)]
    [InlineData("\"under_voltage\":\"maybe\"", true)]
    [InlineData("\"under_voltage\":true", false)]
    [InlineData("\"quality\":{\"wifi\":-70}", false)]
    [InlineData("\"room\":\"much too long for the own table\"", false)]
    public void Of_the_projects_own_table_the_keys_with_a_column_are_judged_and_others_are_not(string json, bool isRefused)
    {
        var own = new RowLimits(OptionalColumns, isOwnTable: false);

        Assert.Equal(isRefused, Rows.Refusal($$"""{"temperature":1,{{json}}}""", limits: own) is not null);
    }

    static readonly ColumnLimit[] OptionalColumns =
    [
        new("GAS_RESISTANCE", "DECIMAL(12, 0)", ColumnType.Number, 12),
        new("QUALITY", "VARCHAR", ColumnType.Text, 16_777_216),
        new("UNDER_VOLTAGE", "BOOLEAN", ColumnType.Boolean),
        new("THROTTLED", "BIGINT", ColumnType.Number, 38),
        new("ROOM", "VARCHAR(3)", ColumnType.Text, 3),
    ];

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    [InlineData(12, false)]
    public void A_gas_resistance_of_the_agent_that_a_table_of_ones_own_cannot_hold_is_found(int digits, bool isRefused)
    {
        var own = new RowLimits([new("GAS_RESISTANCE", $"DECIMAL({digits})", ColumnType.Number, digits)], isOwnTable: true);
        var reading = Rows.Full();
        reading.GasResistanceOhm = 117_297;

        var payload = Payload.Decode(
            Rows.Batch(reading).ToByteArray(),
            isJson: false,
            "pi-1",
            ReadingKind.Thermal,
            DateTimeOffset.UnixEpoch,
            limits: own
        );

        Assert.Equal(isRefused, payload.Problems.ContainsKey(0));
    }

    [Theory]
    [InlineData("ten chars!", null)]
    [InlineData("zehn Öäüß€", null)]
    [InlineData("😀😀😀😀😀😀😀😀😀😀", null)]
    [InlineData("\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\n\\n\\n\\n\\n", null)]
    [InlineData("eleven char", "which holds at most 10 characters; it has 11")]
    [InlineData("ÄÄÄÄÄÄÄÄÄÄÄ", "it has 11")]
    [InlineData("\\ud83d\\ude00aaaaaaaaaa", "it has 11")]
    public void A_text_is_measured_in_characters(string text, string? reason) =>
        AssertReason(reason, Rows.Refusal($$"""{"hostname":"{{text}}"}""", limits: Limits));

    [Theory]
    [InlineData("""{"room":"lab"}""", null)]
    [InlineData("""{"room":null}""", null)]
    [InlineData("""{"Room":"kitchen"}""", "column ROOM VARCHAR(3)")]
    [InlineData("""{"room":1234}""", "column ROOM VARCHAR(3)")]
    [InlineData("""{"seen":"2026-11-20"}""", null)]
    [InlineData("""{"seen":1795169628}""", null)]
    [InlineData("""{"seen":"yesterday"}""", "column SEEN TIMESTAMP_NTZ")]
    [InlineData("""{"seen":true}""", "column SEEN")]
    [InlineData("""{"at":"10:13"}""", null)]
    [InlineData("""{"at":"25:13"}""", "column AT TIME")]
    [InlineData("""{"warm":"yes"}""", null)]
    [InlineData("""{"warm":1}""", null)]
    [InlineData("""{"warm":"maybe"}""", "column WARM BOOLEAN")]
    [InlineData("""{"ratio":"1e5"}""", null)]
    [InlineData("""{"ratio":1e999}""", "column RATIO FLOAT")]
    [InlineData("""{"wifi":{"rssi":1}}""", null)]
    [InlineData("""{"wifi":5}""", "column WIFI OBJECT")]
    [InlineData("""{"list":[1]}""", null)]
    [InlineData("""{"list":{}}""", "column LIST ARRAY")]
    [InlineData("""{"raw_data":{"anything":"at all"}}""", null)]
    public void Columns_of_a_table_of_ones_own_are_judged_too(string json, string? reason) =>
        AssertReason(reason, Rows.Refusal(json, limits: Limits));

    [Fact]
    public void A_column_that_must_not_be_null_is_judged()
    {
        var limits = new RowLimits(
            [new("TEMPERATURE", "FLOAT", ColumnType.Real, IsRequired: true), new("ROOM", "TEXT", ColumnType.Text, 9, IsRequired: true)],
            isOwnTable: true
        );

        Assert.Contains(
            "temperature is missing or null, and column TEMPERATURE is NOT NULL",
            Rows.Refusal("""{"room":"x"}""", limits: limits)!,
            StringComparison.Ordinal
        );
        Assert.Contains("ROOM is missing or null", Rows.Refusal("""{"temperature":1}""", limits: limits)!, StringComparison.Ordinal);
        Assert.Null(Rows.Refusal("""{"temperature":1,"Room":"x"}""", limits: limits));
        Assert.Equal(
            [1],
            Decode(
                Rows.Batch(new ThermalReading { Sequence = 1, TemperatureC = 1 }, new ThermalReading { Sequence = 2 }),
                new RowLimits([new("TEMPERATURE", "FLOAT", ColumnType.Real, IsRequired: true)], isOwnTable: true)
            ).Problems.Keys
        );
    }

    /// <summary>A thermal row has the key only if the sender has, and as it was sent.</summary>
    [Theory]
    [InlineData("""{"temperature":1,"observed_at":1795169628.5}""", null)]
    [InlineData("""{"temperature":1,"ts":1795169628}""", "observed_at is missing or null, and column OBSERVED_AT is NOT NULL")]
    [InlineData("""{"temperature":1,"observed_at":"2026-11-20T10:13:48Z"}""", "column OBSERVED_AT DECIMAL(16, 6), which holds numbers")]
    [InlineData("""{"temperature":1,"observed_at":1795169628123}""", "which holds at most 10 digits before the point")]
    public void The_senders_own_observed_at_is_judged_by_its_column(string json, string? reason)
    {
        var limits = new RowLimits([new("OBSERVED_AT", "DECIMAL(16, 6)", ColumnType.Number, 10, 6, IsRequired: true)], isOwnTable: true);

        AssertReason(reason, Rows.Refusal(json, limits: limits));
    }

    [Fact]
    public void Readings_of_a_batch_are_judged_one_by_one()
    {
        ThermalReading With(ulong sequence, Action<ThermalReading> change)
        {
            var reading = new ThermalReading { Sequence = sequence, ObservedAtUs = Rows.ObservedAtUs };
            change(reading);
            return reading;
        }

        var batch = Rows.Batch(
            With(1, r => r.TemperatureC = 999_999.99994),
            With(2, r => r.TemperatureC = 999_999.99995),
            With(3, r => r.TemperatureC = double.NaN),
            With(4, r => r.CpuPercent = 10_000),
            With(5, r => r.DiskFreeMb = 12_345),
            With(6, r => r.DiskFreeMb = 123_456),
            With(7, r => r.TemperatureC = double.NegativeInfinity),
            With(8, r => r.CpuTemperatureC = 999_999)
        );
        batch.Host.Hostname = "ten chars!";

        var problems = Decode(batch, Limits).Problems;

        Assert.Equal([1, 3, 5], problems.Keys);
        Assert.Contains(
            "temperature \"1000000\" does not fit into column TEMPERATURE DECIMAL(10, 4)",
            problems[1],
            StringComparison.Ordinal
        );
        Assert.Contains("cpu \"10000\" does not fit into column CPU DECIMAL(5, 1)", problems[3], StringComparison.Ordinal);
        Assert.Contains("diskusage \"123456 MB\" does not fit into column DISKUSAGE VARCHAR(8)", problems[5], StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_of_a_batch_whose_name_is_too_long_refuses_its_readings_and_fits_after_it_was_shortened()
    {
        var batch = Rows.Batch(Rows.Full(1), Rows.Full(2));
        batch.Thermal[0].DiskFreeMb = batch.Thermal[1].DiskFreeMb = 1;
        foreach (var (name, problems) in new[] { ("eleven char", 2), ("short", 0), ("eleven char", 2) })
        {
            batch.Host.Hostname = name;
            Assert.Equal(problems, Decode(batch, Limits).Problems.Count);
        }
    }

    static Payload Decode(ReadingBatch batch, RowLimits limits) =>
        Payload.Decode(batch.ToByteArray(), isJson: false, batch.DeviceId, ReadingKind.Thermal, Rows.ReceivedAt, limits: limits);

    static void AssertReason(string? expected, string? actual)
    {
        if (expected is null)
            Assert.Null(actual);
        else
            Assert.Contains(expected, actual ?? "taken", StringComparison.Ordinal);
    }
}
