using System.Globalization;

namespace ThermalStreaming.Readings;

/// <summary>One rule that readings of a kind must keep. Immutable.</summary>
public sealed class ValidationRule
{
    /// <summary>Its name in reasons and counters; unique among the rules of its kind.</summary>
    public required string Name { get; init; }

    /// <summary>The key of the row that the rule is about.</summary>
    public required string Metric { get; init; }

    /// <summary>Unit of the value, for people.</summary>
    public string? Unit { get; init; }

    /// <summary>Whether a missing value breaks it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>What becomes of a reading that breaks it.</summary>
    public RuleEffect Effect { get; init; }

    /// <summary>The test that the value must pass, independent of others.</summary>
    internal RuleTest Test { get; init; } = new();

    /// <summary>Further tests of the value that depend on other values: the first case whose conditions hold counts. Null: none.</summary>
    internal IReadOnlyList<RuleCase>? Cases { get; init; }

    /// <summary>The keys of the row that the rule tests.</summary>
    internal IEnumerable<string> Metrics =>
        [Metric, .. (Cases ?? []).SelectMany(one => one.Conditions.Select(condition => condition.Metric))];

    /// <summary>
    /// The same text for the same rule. A rule for a number in a range is written as versions before rule files wrote it into their plans.
    /// </summary>
    internal string Canonical =>
        IsRequired
        && Cases is null
        && Name == Metric
        && Test is { Minimum: { } min, Maximum: { } max, Above: null, Below: null, Allowed: null }
            ? string.Create(CultureInfo.InvariantCulture, $"{Name}:{min}..{max}")
            : $"{Name}({Metric} {Unit} {(IsRequired ? "required " : "")}{Test.Canonical()}{string.Concat((Cases ?? []).Select(Canonicalize))})";

    static string Canonicalize(RuleCase one) =>
        $" [{string.Join(" and ", one.Conditions.Select(condition => $"{condition.Metric} {condition.Test.Canonical()}"))}: "
        + $"{one.Test.Canonical()}]";

    /// <summary>Whether the values break it.</summary>
    internal bool IsBroken(RuleValues values)
    {
        ref readonly var value = ref values[Metric];
        return value.Type == RuleValueType.Missing ? IsRequired : !Test.Holds(value) || CaseFor(values)?.Holds(value) == false;
    }

    /// <summary>Null when the values keep it, or in a few words how they break it.</summary>
    internal string? Problem(RuleValues values)
    {
        ref readonly var value = ref values[Metric];
        if (value.Type == RuleValueType.Missing)
            return IsRequired ? "missing" : null;
        if (Test.Problem(value, Unit) is { } problem)
            return problem;
        for (var i = 0; i < (Cases?.Count ?? 0); i++)
        {
            if (!Applies(Cases![i], values))
                continue;
            if (Cases[i].Test.Problem(value, Unit) is not { } wrong)
                return null;
            var because = Cases[i].Conditions.Select(condition => $"{condition.Metric} is {Shown(values[condition.Metric])}").ToList();
            return because.Count == 0 ? wrong : $"{wrong}, because {string.Join(" and ", because)}";
        }
        return null;
    }

    static string Shown(in RuleValue value) => value.Type == RuleValueType.Missing ? "missing" : value.ToString();

    RuleTest? CaseFor(RuleValues values)
    {
        for (var i = 0; i < (Cases?.Count ?? 0); i++)
        {
            if (Applies(Cases![i], values))
                return Cases[i].Test;
        }
        return null;
    }

    static bool Applies(RuleCase one, RuleValues values)
    {
        foreach (var condition in one.Conditions)
        {
            if (!condition.Test.Holds(values[condition.Metric]))
                return false;
        }
        return true;
    }
}
