using System.Text;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The verb <c>rules</c>, as a person uses it before a file goes into service.</summary>
public sealed class RulesCommandTests
{
    [Fact]
    public void Show_prints_a_file_that_is_the_built_in_one()
    {
        var (code, text) = Run("show");

        Assert.Equal(ExitCodes.Ok, code);
        List<string> problems = [];
        Assert.Equal(ValidationRules.Default.Identity, RuleFile.Read(Encoding.UTF8.GetBytes(text), "shown", problems)?.Identity);
        Assert.Empty(problems);
    }

    [Fact]
    public void Check_says_line_and_rule_or_what_the_file_holds()
    {
        using var directory = new TempDirectory();
        var path = directory.File("rules.json");
        File.WriteAllText(path, "{ \"thermal\": [\n{ \"metric\": \"co2\", \"maximum\": 5000 } ] }");
        Assert.Equal((ExitCodes.Ok, $"{path}: 0 rules for inverter readings, 1 rule for thermal readings.\n"), Run("check", path));

        File.WriteAllText(path, "{ \"thermal\": [\n{ \"metric\": \"co2\", \"maximum\": \"5000\" } ] }");
        Assert.Equal(
            (ExitCodes.Failed, $"{path}:2: thermal rule \"co2\": maximum must be a number, not the text \"5000\".\n"),
            Run("check", path)
        );
        Assert.Equal(
            (ExitCodes.Failed, $"{directory.File("no")} cannot be read: it does not exist.\n"),
            Run("check", directory.File("no"))
        );
    }

    [Theory]
    [InlineData("""{"PAC": 1}""", 1)]
    [InlineData(
        """[{"PAC":3000,"energy_output":15000,"energy_conversion_efficiency":95,"performance_ratio":0.8,"system_uptime":99,"temperature":40,"input_voltage":600,"output_voltage":230,"frequency":50,"fault_status":"Overheat"}]""",
        0
    )]
    [InlineData("", 1)]
    [InlineData("online", 1)]
    [InlineData("""{"PAC": true}""", 1)]
    public void Try_says_what_breaks_and_fails_when_a_reading_is_rejected(string input, int code)
    {
        using var plain = new StringWriter();
        using var json = new StringWriter();

        Assert.Equal(code, Try(input, asJson: false, plain));
        Assert.Equal(code, Try(input, asJson: true, json));
        Assert.NotEmpty(plain.ToString());
        if (input.StartsWith("{\"PAC\": 1", StringComparison.Ordinal))
        {
            Assert.StartsWith(
                "reading 1: rejected\n  PAC: 1 is not 1000 to 5000\n  energy_output: missing\n",
                plain.ToString(),
                StringComparison.Ordinal
            );
            Assert.StartsWith(
                """{"reading":1,"verdict":"rejected","broken":[{"rule":"PAC","problem":"1 is not 1000 to 5000","effect":"reject"}""",
                json.ToString(),
                StringComparison.Ordinal
            );
        }
        if (code == 0)
            Assert.Equal(
                "reading 1: valid, but counted\n  fault_status_agrees: \"Overheat\" is not \"None\" (counted only)\n",
                plain.ToString()
            );
    }

    static int Try(string input, bool asJson, TextWriter output) =>
        RulesCommand.Try(ValidationRules.Default, ReadingKind.Inverter, asJson, new MemoryStream(Encoding.UTF8.GetBytes(input)), output);

    static (int Code, string Text) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        var code = RulesCommand.Create(ReadingKind.Inverter).Parse(arguments).Invoke(new() { Output = output, Error = output });
        return (code, output.ToString());
    }
}
