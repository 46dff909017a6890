using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>Makes rules from the JSON of a rules file. The result counts only if no problem was reported.</summary>
/// <param name="report">Gets line and problem, without a full stop.</param>
sealed class RuleReader(Action<int, string> report)
{
    const int MaxRules = 200;
    const int MaxNameLength = 64;

    static readonly string[] tests = ["minimum", "maximum", "above", "below", "allowed"];

    ReadingKind kind;

    /// <summary>The members of an object whose names are allowed, each once.</summary>
    public IEnumerable<(string Name, LocatedJson Value)> Members(LocatedJson json, string of, params string[] allowed)
    {
        if (json.Type != JsonTokenType.StartObject)
        {
            report(json.Line, $"{of}an object {{…}} is expected here, not {json.Kind}");
            yield break;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, value) in json.Members)
        {
            if (!allowed.Contains(name, StringComparer.Ordinal))
                report(value.Line, $"{of}\"{name}\" is not known here; known are {string.Join(", ", allowed)}");
            else if (!seen.Add(name))
                report(value.Line, $"{of}\"{name}\" is here twice");
            else
                yield return (name, value);
        }
    }

    public List<ValidationRule> Rules(ReadingKind of, LocatedJson json)
    {
        kind = of;
        List<ValidationRule> rules = [];
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        if (json.Type != JsonTokenType.StartArray)
        {
            report(json.Line, $"\"{Topics.Name(kind)}\" must be an array of rules, not {json.Kind}");
            return rules;
        }
        if (json.Items.Count > MaxRules)
            report(json.Line, $"\"{Topics.Name(kind)}\" has {json.Items.Count} rules; at most {MaxRules} are applied");
        foreach (var item in json.Items)
        {
            if (Rule(item) is not { } rule)
                continue;
            if (!lines.TryAdd(rule.Name, item.Line))
                report(
                    item.Line,
                    $"{Label(rule.Name)}another rule has this name (line {lines[rule.Name]}); give one of them its own with \"rule\""
                );
            rules.Add(rule);
        }
        return rules;
    }

    ValidationRule? Rule(LocatedJson json)
    {
        var name = json.Members.FirstOrDefault(member => member.Name == "rule").Value;
        var metric = json.Members.FirstOrDefault(member => member.Name == "metric").Value;
        var label = Label(name is { Text.Length: > 0 } ? name.Text : metric?.Text ?? "");
        var ownKey = false;
        string? unit = null;
        var required = false;
        var effect = RuleEffect.Reject;
        LocatedJson? cases = null;
        var test = new List<(string, LocatedJson)>();
        foreach (var (key, value) in Members(json, label, ["rule", "metric", "unit", "required", "effect", "own_key", "cases", .. tests]))
        {
            switch (key)
            {
                case "unit":
                    unit = Text(value, $"{label}unit");
                    break;
                case "required":
                    required = Flag(value, $"{label}required");
                    break;
                case "own_key":
                    ownKey = Flag(value, $"{label}own_key");
                    break;
                case "effect":
                    effect = Effect(value, label);
                    break;
                case "cases":
                    cases = value;
                    break;
                case "rule" or "metric":
                    break;
                default:
                    test.Add((key, value));
                    break;
            }
        }
        if (json.Type != JsonTokenType.StartObject)
            return null;
        if (metric is null)
        {
            report(json.Line, $"{label}\"metric\" is missing: the key of the row that the rule tests");
            return null;
        }
        if (!IsMetric(metric, metric.Text, ownKey, label) || (name is not null && !IsName(name, label)))
            return null;
        var rule = new ValidationRule
        {
            Name = name?.Text ?? metric.Text,
            Metric = metric.Text,
            Unit = unit,
            IsRequired = required,
            Effect = effect,
            Test = Test(test, metric.Text, label),
            Cases = cases is null ? null : Cases(cases, metric.Text, label),
        };
        if (rule.Test.IsEmpty && !required && cases is null)
            report(json.Line, $"{label}it tests nothing; give it {string.Join(", ", tests)}, required or cases");
        return rule;
    }

    List<RuleCase> Cases(LocatedJson json, string metric, string label)
    {
        List<RuleCase> cases = [];
        if (json.Type != JsonTokenType.StartArray || json.Items.Count == 0)
            report(json.Line, $"{label}cases must be an array of at least one case, not {json.Kind}");
        for (var i = 0; i < json.Items.Count; i++)
        {
            var of = $"{label}case {(i + 1).ToString(CultureInfo.InvariantCulture)}: ";
            List<RuleCondition> conditions = [];
            var test = new List<(string, LocatedJson)>();
            foreach (var (key, value) in Members(json.Items[i], of, ["if", .. tests]))
            {
                if (key == "if")
                    conditions = Conditions(value, of);
                else
                    test.Add((key, value));
            }
            if (cases.Count > 0 && cases[^1].Conditions.Count == 0)
                report(json.Items[i].Line, $"{of}it never applies, because the case before it has no \"if\" and always holds");
            cases.Add(new RuleCase(conditions, Test(test, metric, of)));
        }
        return cases;
    }

    List<RuleCondition> Conditions(LocatedJson json, string label)
    {
        List<RuleCondition> conditions = [];
        if (json.Type != JsonTokenType.StartObject || json.Members.Count == 0)
            report(
                json.Line,
                $"{label}\"if\" must name at least one metric, as in {{\"temperature\": {{\"above\": 55}}}}, not {json.Kind}"
            );
        foreach (var (metric, value) in json.Members)
        {
            // A key that the rows lack counts as a device's own key, unless it is almost a key of the rows.
            if (!IsMetric(value, metric, ownKey: true, label))
                continue;
            var of = $"{label}{metric}: ";
            var test = new List<(string, LocatedJson)>();
            bool? missing = null;
            foreach (var (key, wanted) in Members(value, of, ["missing", .. tests]))
            {
                if (key == "missing")
                    missing = Flag(wanted, $"{of}missing");
                else
                    test.Add((key, wanted));
            }
            var made = Test(test, metric, of) with { Missing = missing };
            if (made.IsEmpty)
                report(value.Line, $"{of}it tests nothing; give it {string.Join(", ", tests)} or missing");
            else if (missing == true && test.Count > 0)
                report(value.Line, $"{of}a missing value has no {test[0].Item1}");
            conditions.Add(new RuleCondition(metric, made));
        }
        return conditions;
    }

    RuleTest Test(List<(string Key, LocatedJson Value)> members, string metric, string label)
    {
        var test = new RuleTest();
        var isText = RuleMetrics.TryGet(kind, metric, out var type) && type == JsonType.Text;
        foreach (var (key, value) in members)
        {
            if (key == "allowed")
            {
                test = test with { Allowed = Allowed(value, metric, label) };
                continue;
            }
            if (value.Type != JsonTokenType.Number || !double.IsFinite(value.Number))
                report(value.Line, $"{label}{key} must be a number, not {value.Kind}");
            else if (isText)
                report(value.Line, $"{label}{key} is for numbers, but {metric} is a text; use allowed");
            test = key switch
            {
                "minimum" => test with { Minimum = value.Number },
                "maximum" => test with { Maximum = value.Number },
                "above" => test with { Above = value.Number },
                _ => test with { Below = value.Number },
            };
        }
        if ((test.Minimum ?? test.Above) is { } low && (test.Maximum ?? test.Below) is { } high)
        {
            var inclusive = test.Above is null && test.Below is null;
            if (low > high || (!inclusive && low == high))
                report(
                    members[0].Value.Line,
                    string.Create(CultureInfo.InvariantCulture, $"{label}no number is from {low} to {high}; swap the two bounds")
                );
        }
        return test;
    }

    List<RuleValue> Allowed(LocatedJson json, string metric, string label)
    {
        List<RuleValue> allowed = [];
        if (json.Type != JsonTokenType.StartArray || json.Items.Count == 0)
            report(json.Line, $"{label}allowed must be an array of at least one value, not {json.Kind}");
        var isKnown = RuleMetrics.TryGet(kind, metric, out var type);
        foreach (var item in json.Items)
        {
            var isNumber = item.Type == JsonTokenType.Number && double.IsFinite(item.Number);
            if (!isNumber && item.Type != JsonTokenType.String)
                report(item.Line, $"{label}allowed holds {item.Kind}; only numbers and texts can be allowed");
            else if (isKnown && isNumber != (type == JsonType.Number))
                report(item.Line, $"{label}allowed holds {item.Kind}, but {metric} is a {(isNumber ? "text" : "number")}");
            else if (metric == InverterRow.FaultStatusKey.Name && kind == ReadingKind.Inverter && InverterFaults.Parse(item.Text) is null)
                report(
                    item.Line,
                    $"{label}allowed holds {item.Kind}, which no inverter reports; they report "
                        + string.Join(", ", Enum.GetValues<FaultStatus>().Select(InverterFaults.Text))
                );
            allowed.Add(isNumber ? RuleValue.Of(item.Number) : RuleValue.Of(item.Text));
        }
        return allowed;
    }

    /// <summary>Whether rules can be about that key; otherwise reports why not.</summary>
    bool IsMetric(LocatedJson at, string metric, bool ownKey, string label)
    {
        if (metric.Length == 0)
        {
            report(at.Line, $"{label}\"metric\" must be the key of the row that the rule tests, not {at.Kind}");
            return false;
        }
        if (RuleMetrics.TryGet(kind, metric, out _))
            return true;
        var nearest = RuleMetrics.Names(kind).FirstOrDefault(name => name.Equals(metric, StringComparison.OrdinalIgnoreCase));
        if (ownKey && nearest is null)
            return true;
        nearest ??= KnownKeys.Nearest(metric) is { } near && RuleMetrics.TryGet(kind, near, out _) ? near : null;
        report(
            at.Line,
            $"{label}{Topics.Name(kind)} rows have no key \"{metric}\"{(nearest is null ? "" : $"; did you mean \"{nearest}\"?")}"
                + (ownKey ? "" : "; for a key that your devices add, write \"own_key\": true")
        );
        return false;
    }

    bool IsName(LocatedJson json, string label)
    {
        var isName =
            json.Text is { Length: > 0 and <= MaxNameLength } text && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');
        if (!isName)
            report(json.Line, $"{label}\"rule\" must be 1 to {MaxNameLength} letters, digits, _ - . and is {json.Kind}");
        return isName;
    }

    RuleEffect Effect(LocatedJson json, string label)
    {
        if (json.Text is "reject" or "count")
            return json.Text == "count" ? RuleEffect.Count : RuleEffect.Reject;
        report(json.Line, $"{label}effect must be \"reject\" or \"count\", not {json.Kind}");
        return RuleEffect.Reject;
    }

    string? Text(LocatedJson json, string what)
    {
        if (json.Type == JsonTokenType.String)
            return json.Text;
        report(json.Line, $"{what} must be a text, not {json.Kind}");
        return null;
    }

    bool Flag(LocatedJson json, string what)
    {
        if (json.Type is JsonTokenType.True or JsonTokenType.False)
            return json.Type == JsonTokenType.True;
        report(json.Line, $"{what} must be true or false, not {json.Kind}");
        return false;
    }

    string Label(string name) => name.Length == 0 ? $"{Topics.Name(kind)} rule: " : $"{Topics.Name(kind)} rule \"{name}\": ";
}
