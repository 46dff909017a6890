using System.Text;

namespace ThermalStreaming.Readings.Tests;

/// <summary>A file of rules that people write: what is wrong is said with file, line and rule, everything at once.</summary>
public sealed class RuleFileTests
{
    [Theory]
    [InlineData("", "r.json:1: the file is empty.")]
    [InlineData("  \n \n", "r.json:1: the file is empty.")]
    [InlineData("[]", "r.json:1: an object {…} is expected here, not an array […].")]
    [InlineData("{\n\"inverters\": []}", "r.json:2: \"inverters\" is not known here; known are inverter, thermal.")]
    [InlineData("{\"thermal\": [],\n\"thermal\": []}", "r.json:2: \"thermal\" is here twice.")]
    [InlineData("{\"thermal\":\n {}}", "r.json:2: \"thermal\" must be an array of rules, not an object {…}.")]
    [InlineData("{\"thermal\": [\n7]}", "r.json:2: thermal rule: an object {…} is expected here, not the number 7.")]
    [InlineData(
        "{\"thermal\": [\n{\"minimum\": 1}]}",
        "r.json:2: thermal rule: \"metric\" is missing: the key of the row that the rule tests."
    )]
    [InlineData(
        "{\"inverter\": [\n{\"metric\": \"pac\", \"minimum\": 1}]}",
        "r.json:2: inverter rule \"pac\": inverter rows have no key \"pac\"; did you mean \"PAC\"?; for a key that your devices add, write "
            + "\"own_key\": true."
    )]
    [InlineData(
        "{\"thermal\": [{\"metric\": \"Temperature\", \"own_key\": true, \"minimum\": 1}]}",
        "r.json:1: thermal rule \"Temperature\": thermal rows have no key \"Temperature\"; did you mean \"temperature\"?"
    )]
    [InlineData(
        "{\"thermal\": [{\"metric\": \"co2\",\n\n\"min\": 1}]}",
        "r.json:3: thermal rule \"co2\": \"min\" is not known here; known are rule, metric, unit, required, effect, own_key, cases, minimum, "
            + "maximum, above, below, allowed.",
        "r.json:1: thermal rule \"co2\": it tests nothing; give it minimum, maximum, above, below, allowed, required or cases."
    )]
    [InlineData(
        "{\"thermal\": [{\"metric\": \"co2\", \"minimum\": 2, \"maximum\": 1}]}",
        "r.json:1: thermal rule \"co2\": no number is from 2 to 1; swap the two bounds."
    )]
    [InlineData(
        "{\"thermal\": [{\"metric\": \"co2\", \"minimum\": \"2\"}]}",
        "r.json:1: thermal rule \"co2\": minimum must be a number, not the text \"2\"."
    )]
    [InlineData(
        "{\"thermal\": [{\"metric\": \"co2\", \"maximum\": 1e999}]}",
        "r.json:1: thermal rule \"co2\": maximum must be a number, not the number Infinity."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"fault_status\", \"minimum\": 2}]}",
        "r.json:1: inverter rule \"fault_status\": minimum is for numbers, but fault_status is a text; use allowed."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"fault_status\", \"allowed\": [\"None\",\n\"Overheated\"]}]}",
        "r.json:2: inverter rule \"fault_status\": allowed holds the text \"Overheated\", which no inverter reports; they report None, Sensor "
            + "Failure, Overheat, Under Voltage, Over Voltage, Frequency Error."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"PAC\", \"allowed\": []}]}",
        "r.json:1: inverter rule \"PAC\": allowed must be an array of at least one value, not an array […]."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"PAC\", \"required\": \"yes\", \"effect\": \"warn\"}]}",
        "r.json:1: inverter rule \"PAC\": required must be true or false, not the text \"yes\".",
        "r.json:1: inverter rule \"PAC\": effect must be \"reject\" or \"count\", not the text \"warn\".",
        "r.json:1: inverter rule \"PAC\": it tests nothing; give it minimum, maximum, above, below, allowed, required or cases."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"PAC\", \"minimum\": 1},\n{\"metric\": \"PAC\", \"maximum\": 9}]}",
        "r.json:2: inverter rule \"PAC\": another rule has this name (line 1); give one of them its own with \"rule\"."
    )]
    [InlineData(
        "{\"inverter\": [{\"rule\": \"a b\", \"metric\": \"PAC\", \"minimum\": 1}]}",
        "r.json:1: inverter rule \"a b\": \"rule\" must be 1 to 64 letters, digits, _ - . and is the text \"a b\"."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"PAC\", \"cases\": [{\"minimum\": 1},\n{\"if\": {}, \"maximum\": 5}]}]}",
        "r.json:2: inverter rule \"PAC\": case 2: \"if\" must name at least one metric, as in {\"temperature\": {\"above\": 55}}, not an "
            + "object {…}.",
        "r.json:2: inverter rule \"PAC\": case 2: it never applies, because the case before it has no \"if\" and always holds."
    )]
    [InlineData(
        "{\"inverter\": [{\"metric\": \"PAC\", \"cases\": [{\"if\": {\"temperature\": {\"missing\": true, \"above\": 3}}}]}]}",
        "r.json:1: inverter rule \"PAC\": case 1: temperature: a missing value has no above."
    )]
    public void What_is_wrong_is_said_with_file_line_and_rule(string file, params string[] expected)
    {
        List<string> problems = [];

        Assert.Null(RuleFile.Read(Encoding.UTF8.GetBytes(file), "r.json", problems));
        Assert.Equal(expected, problems);
    }

    [Theory]
    [InlineData("{\n\n\"thermal\": [,]}", 3)]
    [InlineData("{\n\"thermal\": [{\"metric\": 'co2'}]}", 2)]
    [InlineData("{\n\"thermal\": [\n", 3)]
    [InlineData("{} {}", 1)]
    public void What_is_not_JSON_is_said_with_its_line(string file, int line)
    {
        List<string> problems = [];

        Assert.Null(RuleFile.Read(Encoding.UTF8.GetBytes(file), "r.json", problems));
        Assert.StartsWith($"r.json:{line}: ", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_a_problem_and_no_exception()
    {
        List<string> problems = [];

        Assert.Null(
            RuleFile.Read(
                "{\n\"thermal\": [{\"metric\": \"\xff\"}]}"u8.ToArray().Select(b => b == 0xC3 ? (byte)0xFF : b).ToArray(),
                "r",
                problems
            )
        );
        Assert.NotEmpty(problems);
    }

    [Fact]
    public void Comments_trailing_commas_and_a_byte_order_mark_are_taken()
    {
        var rules = Rules("\uFEFF// mine\n{ /* no inverters */ \"thermal\": [ { \"metric\": \"co2\", \"maximum\": 5000, }, ], }");

        Assert.Equal("co2", Assert.Single(rules.Thermal).Name);
        Assert.Empty(rules.Inverter);
    }

    internal static ValidationRules Rules(string file)
    {
        List<string> problems = [];
        var rules = RuleFile.Read(Encoding.UTF8.GetBytes(file), "r.json", problems);
        Assert.Empty(problems);
        return rules!;
    }
}
