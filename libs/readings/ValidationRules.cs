using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>The rules of a file, by kind of reading. Immutable.</summary>
public sealed class ValidationRules
{
    /// <summary>Longest identity that is used as it is: a longer one would make plans large.</summary>
    const int LongestPlainIdentity = 1000;

    internal ValidationRules(
        string name,
        ReadOnlyMemory<byte> source,
        IReadOnlyList<ValidationRule> inverter,
        IReadOnlyList<ValidationRule> thermal
    )
    {
        Name = name;
        Source = source;
        Inverter = inverter;
        Thermal = thermal;
        Identity = Identify();
    }

    /// <summary>The rules of the original, which apply if no file is named.</summary>
    public static ValidationRules Default { get; } = LoadDefault();

    /// <summary>The file, for messages.</summary>
    public string Name { get; }

    /// <summary>The file's bytes.</summary>
    public ReadOnlyMemory<byte> Source { get; }

    public IReadOnlyList<ValidationRule> Inverter { get; }

    public IReadOnlyList<ValidationRule> Thermal { get; }

    /// <summary>
    /// The same for rules that reject the same readings for the same reasons, and different otherwise. For the default rules it is the text
    /// that versions before rule files wrote into their plans, so that those plans can be continued.
    /// </summary>
    public string Identity { get; }

    public IReadOnlyList<ValidationRule> Of(ReadingKind kind) => kind == ReadingKind.Thermal ? Thermal : Inverter;

    string Identify()
    {
        var text = Rejecting(Inverter);
        if (Rejecting(Thermal) is { Length: > 0 } thermal)
            text += $"|thermal;{thermal}";
        return text.Length <= LongestPlainIdentity
            ? text
            : $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
    }

    static string Rejecting(IReadOnlyList<ValidationRule> rules) =>
        string.Join(';', rules.Where(rule => rule.Effect == RuleEffect.Reject).Select(rule => rule.Canonical));

    static ValidationRules LoadDefault()
    {
        using var stream = typeof(ValidationRules).Assembly.GetManifestResourceStream("validation-rules.json")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        List<string> problems = [];
        return RuleFile.Read(bytes, "built-in rules", problems) ?? throw new InvalidOperationException(string.Join('\n', problems));
    }
}
