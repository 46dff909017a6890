namespace ThermalStreaming.Readings;

/// <summary>Reads a file of rules and reports everything that is wrong with it, by file, line and rule.</summary>
public static class RuleFile
{
    /// <summary>Most bytes of a file.</summary>
    public const int MaxBytes = 1 << 20;

    /// <param name="source">The file's bytes, which the rules keep.</param>
    /// <param name="name">The file, for messages.</param>
    /// <param name="problems">Gets a line for each problem: <c>name:line: what, and what is allowed</c>.</param>
    /// <returns>Null when there is a problem.</returns>
    public static ValidationRules? Read(ReadOnlyMemory<byte> source, string name, ICollection<string> problems)
    {
        if (source.Length > MaxBytes)
        {
            problems.Add($"{name}: the file has {source.Length} bytes; at most {MaxBytes} are read.");
            return null;
        }
        LocatedJson root;
        try
        {
            root = LocatedJson.Read(source.Span);
        }
        catch (FormatException e)
        {
            problems.Add($"{name}:{e.Message}.");
            return null;
        }
        var before = problems.Count;
        var rules = new Dictionary<ReadingKind, List<ValidationRule>>();
        var reader = new RuleReader((line, problem) => problems.Add($"{name}:{line}: {problem}{(problem.EndsWith('?') ? "" : ".")}"));
        foreach (var (key, value) in reader.Members(root, "", "inverter", "thermal"))
        {
            var kind = key == "thermal" ? ReadingKind.Thermal : ReadingKind.Inverter;
            rules[kind] = reader.Rules(kind, value);
        }
        return problems.Count > before
            ? null
            : new ValidationRules(
                name,
                source,
                rules.GetValueOrDefault(ReadingKind.Inverter, []),
                rules.GetValueOrDefault(ReadingKind.Thermal, [])
            );
    }
}
