using System.Globalization;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>A test of one value: bounds, allowed values, or that it is missing. Immutable.</summary>
sealed record RuleTest
{
    /// <summary>The smallest number that passes.</summary>
    public double? Minimum { get; init; }

    /// <summary>The largest number that passes.</summary>
    public double? Maximum { get; init; }

    /// <summary>Only larger numbers pass.</summary>
    public double? Above { get; init; }

    /// <summary>Only smaller numbers pass.</summary>
    public double? Below { get; init; }

    /// <summary>The values that pass; null: any.</summary>
    public IReadOnlyList<RuleValue>? Allowed { get; init; }

    /// <summary>Whether the value must be missing, or present; null: either.</summary>
    public bool? Missing { get; init; }

    bool HasBounds => Minimum is not null || Maximum is not null || Above is not null || Below is not null;

    public bool IsEmpty => !HasBounds && Allowed is null && Missing is null;

    /// <summary>Whether the value passes. A missing value passes only if nothing is tested except its absence.</summary>
    public bool Holds(in RuleValue value)
    {
        var isMissing = value.Type == RuleValueType.Missing;
        if (Missing is { } missing && missing != isMissing)
            return false;
        if (isMissing)
            return !HasBounds && Allowed is null;
        return (!HasBounds || (value.Type == RuleValueType.Number && IsWithin(value.Number))) && (Allowed is null || IsAllowed(value));
    }

    /// <summary>In a few words, why a present value fails; null when it passes.</summary>
    public string? Problem(in RuleValue value, string? unit)
    {
        if (Holds(value))
            return null;
        var shown = unit is null || value.Type != RuleValueType.Number ? value.ToString() : $"{value} {unit}";
        if (Allowed is not null && !IsAllowed(value))
            return $"{shown} is not {(Allowed.Count == 1 ? "" : "one of ")}{string.Join(", ", Allowed)}";
        if (value.Type != RuleValueType.Number)
            return $"{shown} is not a number";
        return this switch
        {
            // The words of versions before rule files, because the bucket holds them.
            { Minimum: { } min, Maximum: { } max, Above: null, Below: null } => string.Create(
                CultureInfo.InvariantCulture,
                $"{value} is not {min} to {max}"
            ),
            { Minimum: { } min } when !(value.Number >= min) => $"{shown} is less than {Text(min)}",
            { Maximum: { } max } when !(value.Number <= max) => $"{shown} is more than {Text(max)}",
            { Above: { } above } when !(value.Number > above) => $"{shown} is not above {Text(above)}",
            _ => $"{shown} is not below {Text(Below!.Value)}",
        };
    }

    /// <summary>The same text for the same test, in any file.</summary>
    public string Canonical()
    {
        var text = new StringBuilder();
        foreach (var (name, bound) in new[] { (">=", Minimum), ("<=", Maximum), (">", Above), ("<", Below) })
        {
            if (bound is { } number)
                text.Append(name).Append(Text(number)).Append(' ');
        }
        if (Allowed is not null)
            text.Append("in ").AppendJoin(',', Allowed.Select(value => value.Text is { } allowed ? $"'{allowed}'" : Text(value.Number)));
        if (Missing is { } missing)
            text.Append(missing ? "missing" : "there");
        return text.ToString();
    }

    bool IsWithin(double number) =>
        !double.IsNaN(number)
        && !(number < Minimum)
        && !(number > Maximum)
        && (Above is not { } above || number > above)
        && (Below is not { } below || number < below);

    bool IsAllowed(in RuleValue value)
    {
        foreach (var allowed in Allowed!)
        {
            if (
                allowed.Type == value.Type
                && (value.Type == RuleValueType.Number ? allowed.Number == value.Number : allowed.Text == value.Text)
            )
                return true;
        }
        return false;
    }

    static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
