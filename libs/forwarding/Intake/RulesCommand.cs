using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>The verb <c>rules</c>: shows the built-in validation rules, checks a file of rules, and tries rules on readings.</summary>
public static class RulesCommand
{
    /// <summary>Most bytes of readings that are read; one MQTT message is never longer.</summary>
    const int MaxInputBytes = 8 << 20;

    /// <param name="kind">The kind of readings that the service forwards.</param>
    public static Command Create(ReadingKind kind) =>
        new("rules", "The rules that readings must keep (VALIDATION_RULES_FILE).") { Show(), Check(), Try(kind) };

    static Command Show()
    {
        var show = new Command("show", "Print the built-in rules; a copy of them, changed, is a rules file of your own.");
        show.SetAction(result => result.InvocationConfiguration.Output.Write(Encoding.UTF8.GetString(ValidationRules.Default.Source.Span)));
        return show;
    }

    static Command Check()
    {
        var file = new Argument<string>("FILE") { Description = "The file of rules." };
        var check = new Command("check", "Check a file of rules: what is wrong, in which line and rule.") { file };
        check.SetAction(result =>
        {
            var output = result.InvocationConfiguration.Output;
            if (Read(result.GetRequiredValue(file), output) is not { } rules)
                return ExitCodes.Failed;
            output.WriteLine($"{rules.Name}: {Count(rules.Inverter)} for inverter readings, {Count(rules.Thermal)} for thermal readings.");
            return ExitCodes.Ok;
        });
        return check;
    }

    static Command Try(ReadingKind usual)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The file of rules; without it, the built-in rules.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var kind = new Option<string>("--kind") { Description = "inverter or thermal.", DefaultValueFactory = _ => Topics.Name(usual) };
        kind.AcceptOnlyFromAmong("inverter", "thermal");
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each reading." };
        var command = new Command(
            "try",
            "Apply rules to the readings on standard input (JSON as devices send it) and say which they break. Exit code 1 when one is rejected."
        )
        {
            file,
            kind,
            json,
        };
        command.SetAction(result =>
        {
            var output = result.InvocationConfiguration.Output;
            var rules = result.GetValue(file) is { } path ? Read(path, output) : ValidationRules.Default;
            if (rules is null)
                return ExitCodes.Failed;
            var of = result.GetValue(kind) == "thermal" ? ReadingKind.Thermal : ReadingKind.Inverter;
            return Try(rules, of, result.GetValue(json), Console.OpenStandardInput(), output);
        });
        return command;
    }

    /// <summary>Applies the rules to the readings of a stream; the exit code.</summary>
    internal static int Try(ValidationRules rules, ReadingKind kind, bool asJson, Stream input, TextWriter output)
    {
        Payload payload;
        try
        {
            var buffer = new MemoryStream();
            var piece = new byte[64 << 10];
            for (int count; buffer.Length <= MaxInputBytes && (count = input.Read(piece)) > 0; )
                buffer.Write(piece, 0, count);
            if (buffer.Length > MaxInputBytes)
                throw new PayloadException($"the input is longer than {MaxInputBytes} bytes, the maximum for one message");
            PayloadFormat.IsJson(buffer.ToArray(), Payload.JsonContentType, out var body);
            payload = Payload.Decode(body, isJson: true, "rules-try", kind, DateTimeOffset.UnixEpoch);
        }
        catch (PayloadException e)
        {
            output.WriteLine($"The input cannot be read as readings: {e.Message}");
            return ExitCodes.Failed;
        }
        var checker = new RuleChecker(rules);
        var isRejected = false;
        for (var i = 0; i < payload.Count; i++)
        {
            if (payload.Problems.TryGetValue(i, out var problem))
            {
                isRejected = true;
                output.WriteLine(
                    asJson ? Json(i, "unreadable", problem, []) : $"reading {i + 1}: becomes a dead letter when it arrives: {problem}"
                );
                continue;
            }
            var broken = checker.Broken(payload, i, rejectingOnly: false);
            var rejected = broken.Any(rule => rule.Rule.Effect == RuleEffect.Reject);
            isRejected |= rejected;
            if (asJson)
            {
                output.WriteLine(Json(i, rejected ? "rejected" : "valid", null, broken));
                continue;
            }
            output.WriteLine($"reading {i + 1}: {(rejected ? "rejected" : broken.Count > 0 ? "valid, but counted" : "valid")}");
            foreach (var rule in broken)
                output.WriteLine($"  {rule}{(rule.Rule.Effect == RuleEffect.Count ? " (counted only)" : "")}");
        }
        return isRejected ? ExitCodes.Failed : ExitCodes.Ok;
    }

    static string Json(int index, string verdict, string? problem, List<BrokenRule> broken)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("reading", index + 1);
            json.WriteString("verdict", verdict);
            if (problem is not null)
                json.WriteString("problem", problem);
            json.WriteStartArray("broken");
            foreach (var rule in broken)
            {
                json.WriteStartObject();
                json.WriteString("rule", rule.Rule.Name);
                json.WriteString("problem", rule.Problem);
                json.WriteString("effect", rule.Rule.Effect == RuleEffect.Count ? "count" : "reject");
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    static ValidationRules? Read(string path, TextWriter output)
    {
        List<string> problems = [];
        try
        {
            if (RuleFile.Read(File.ReadAllBytes(path), path, problems) is { } rules)
                return rules;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path} cannot be read: {Settings.Reason(e)}.");
        }
        foreach (var problem in problems)
            output.WriteLine(problem);
        return null;
    }

    static string Count(IReadOnlyList<ValidationRule> rules) => rules.Count == 1 ? "1 rule" : $"{rules.Count} rules";
}
