using System.Globalization;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

/// <summary>What rules say of readings; above all that the built-in ones say what the original's did.</summary>
public sealed class ValidationRulesTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("PAC", 1000, 5000)]
    [InlineData("energy_output", 10000, 20000)]
    [InlineData("energy_conversion_efficiency", 90, 99)]
    [InlineData("performance_ratio", 0.7, 0.95)]
    [InlineData("system_uptime", 98, 100)]
    [InlineData("temperature", 30, 60)]
    [InlineData("input_voltage", 500, 700)]
    [InlineData("output_voltage", 220, 240)]
    [InlineData("frequency", 49, 51)]
    public void A_built_in_rule_is_kept_within_its_range_and_broken_outside_and_by_absence(string key, double min, double max)
    {
        Assert.Null(With(min));
        Assert.Null(With(max));
        Assert.Equal(Text($"{min - 0.001} is not {min} to {max}"), With(min - 0.001));
        Assert.Equal(Text($"{max + 0.001} is not {min} to {max}"), With(max + 0.001));
        Assert.Equal("missing", With(null));

        string? With(double? value) =>
            Broken(ValidationRules.Default, Rows.Json($"{{\"{key}\":{(value is { } v ? Text($"{v}") : "null")}}}", ReadingKind.Inverter))
                .FirstOrDefault(one => one.Rule.Name == key)
                ?.Problem;
    }

    [Fact]
    public void There_is_a_built_in_range_for_each_numeric_key_and_no_rule_for_thermal_readings()
    {
        Assert.Equal(
            Rows.InverterKeys.Skip(1).Take(9),
            ValidationRules.Default.Inverter.Where(rule => rule.Effect == RuleEffect.Reject).Select(rule => rule.Name)
        );
        Assert.Empty(ValidationRules.Default.Thermal);
    }

    /// <summary>Plans on disk name the rules by it: a version that names them otherwise would upload a batch in hand twice.</summary>
    [Fact]
    public void The_identity_of_the_built_in_rules_is_that_of_earlier_versions() =>
        Assert.Equal(
            "PAC:1000..5000;energy_output:10000..20000;energy_conversion_efficiency:90..99;performance_ratio:0.7..0.95;"
                + "system_uptime:98..100;temperature:30..60;input_voltage:500..700;output_voltage:220..240;frequency:49..51",
            ValidationRules.Default.Identity
        );

    [Theory]
    [InlineData("""{ "metric": "co2", "maximum": 5000 }""", """{ "metric": "co2", "maximum": 5001 }""")]
    [InlineData("""{ "metric": "co2", "maximum": 5000 }""", """{ "metric": "co2", "below": 5000 }""")]
    [InlineData("""{ "metric": "co2", "maximum": 5000 }""", """{ "metric": "co2", "maximum": 5000, "unit": "ppm" }""")]
    [InlineData("""{ "metric": "co2", "maximum": 5000 }""", """{ "metric": "co2", "maximum": 5000, "required": true }""")]
    [InlineData("""{ "metric": "co2", "allowed": [1] }""", """{ "metric": "co2", "allowed": [1, 2] }""")]
    [InlineData(
        """{ "metric": "co2", "cases": [{ "if": { "cpu": { "above": 1 } }, "maximum": 2 }] }""",
        """{ "metric": "co2", "cases": [{ "if": { "cpu": { "below": 1 } }, "maximum": 2 }] }"""
    )]
    public void Other_rules_have_another_identity(string one, string other)
    {
        Assert.NotEqual(Thermal(one).Identity, Thermal(other).Identity);
        Assert.Equal(Thermal(one).Identity, Thermal($"\n// the same\n{one}").Identity);
        // What is only counted decides about no object.
        Assert.Equal(Thermal(one).Identity, Thermal($$"""{{one}}, { "metric": "pressure", "minimum": 1, "effect": "count" }""").Identity);
    }

    [Fact]
    public void No_number_breaks_the_rule_of_its_value()
    {
        var reading = Rows.Inverter();
        reading.PacW = double.NaN;
        var batch = Rows.Batch();
        batch.Inverters.Add(reading);

        Assert.Equal(
            ["PAC: NaN is not 1000 to 5000"],
            Broken(ValidationRules.Default, Rows.Decode(batch, ReadingKind.Inverter)).Select(one => $"{one}")
        );
    }

    /// <summary>The cases of the file and the code that the agent derives the status with are written independently.</summary>
    [Fact]
    public void The_rule_of_the_fault_status_agrees_with_what_the_original_derives()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var statuses = Enum.GetValues<FaultStatus>();
        var broken = 0;
        for (var round = 0; round < 5_000; round++)
        {
            var reading = Rows.Inverter();
            if (random.Next(8) == 0)
                reading.ClearTemperatureC();
            else
                reading.TemperatureC = random.Next(50, 60);
            if (random.Next(8) == 0)
                reading.ClearInputVoltageV();
            else
                reading.InputVoltageV = random.Next(500, 700);
            if (random.Next(8) == 0)
                reading.ClearFrequencyHz();
            else
                reading.FrequencyHz = 49 + random.Next(21) * 0.1;
            reading.FaultStatus = statuses[random.Next(statuses.Length)];
            var batch = Rows.Batch();
            batch.Inverters.Add(reading);
            var found = Broken(ValidationRules.Default, Rows.Decode(batch, ReadingKind.Inverter))
                .Find(one => one.Rule.Name == "fault_status_agrees");

            Assert.Equal(InverterFaults.Derive(reading) == reading.FaultStatus, found is null);
            if (found is null)
                continue;
            broken++;
            Assert.StartsWith(
                $"\"{InverterFaults.Text(reading.FaultStatus)}\" is not \"{InverterFaults.Text(InverterFaults.Derive(reading))}\"",
                found.Problem,
                StringComparison.Ordinal
            );
        }
        Assert.InRange(broken, 3_000, 5_000);
    }

    [Fact]
    public void A_case_says_which_other_value_it_is_for() =>
        Assert.Equal(
            ["fault_status_agrees: \"None\" is not \"Overheat\", because temperature is 56"],
            Broken(
                    ValidationRules.Default,
                    Rows.Json(
                        """{"PAC":3000,"energy_output":15000,"energy_conversion_efficiency":95,"performance_ratio":0.8,"system_uptime":99,"temperature":56,"input_voltage":600,"output_voltage":230,"frequency":50,"fault_status":"None"}""",
                        ReadingKind.Inverter
                    )
                )
                .Select(one => $"{one}")
        );

    [Theory]
    [InlineData("""{ "metric": "temperature", "minimum": -40, "maximum": 85 }""", """{"temperature": 86}""", "86 is not -40 to 85")]
    [InlineData("""{ "metric": "temperature", "minimum": -40, "maximum": 85 }""", """{"temperature": "86.5"}""", "86.5 is not -40 to 85")]
    [InlineData("""{ "metric": "temperature", "minimum": -40 }""", """{"temperature": -41}""", "-41 is less than -40")]
    [InlineData("""{ "metric": "temperature", "below": 85, "unit": "°C" }""", """{"temperature": 85}""", "85 °C is not below 85")]
    [InlineData("""{ "metric": "temperature", "above": 0 }""", """{"temperature": 0}""", "0 is not above 0")]
    [InlineData("""{ "metric": "temperature", "required": true }""", """{"humidity": 1}""", "missing")]
    [InlineData("""{ "metric": "temperature", "minimum": 1 }""", """{"humidity": 1}""", null)]
    [InlineData("""{ "metric": "temperature", "minimum": 1 }""", """{"temperature": null, "humidity": 1}""", null)]
    [InlineData("""{ "metric": "mode", "own_key": true, "minimum": 1 }""", """{"mode": true, "co2": 1}""", "true is not a number")]
    [InlineData(
        """{ "metric": "hostname", "allowed": ["a", "b"] }""",
        """{"hostname": "c", "co2": 1}""",
        "\"c\" is not one of \"a\", \"b\""
    )]
    [InlineData("""{ "metric": "mode", "own_key": true, "allowed": [1, 2] }""", """{"mode": 3, "co2": 1}""", "3 is not one of 1, 2")]
    [InlineData(
        """{ "metric": "mode", "own_key": true, "minimum": 1 }""",
        """{"mode": {"a": [1]}, "co2": 1}""",
        "{\"a\": [1]} is not a number"
    )]
    public void Thermal_readings_and_own_keys_can_have_rules_too(string rule, string reading, string? expected)
    {
        var payload = Rows.Json(reading);
        Assert.Empty(payload.Problems);

        Assert.Equal(expected, Assert.Single(Broken(Thermal(rule), payload).DefaultIfEmpty())?.Problem);
    }

    static ValidationRules Thermal(string rules) => RuleFileTests.Rules($"{{ \"thermal\": [ {rules} ] }}");

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    static List<BrokenRule> Broken(ValidationRules rules, Payload payload)
    {
        var checker = new RuleChecker(rules);
        var broken = checker.Broken(payload, 0, rejectingOnly: false);
        Assert.Equal(broken.Any(one => one.Rule.Effect == RuleEffect.Reject), checker.Rejects(payload, 0));
        return broken;
    }
}
