namespace ThermalStreaming.Readings;

/// <summary>The keys of the rows, for senders that spell them differently.</summary>
public static class KnownKeys
{
    static readonly string[] measurements = [.. Names(JsonFields.Thermal), .. Names(JsonFields.Inverter)];

    /// <summary>What other programs call the measurements.</summary>
    static readonly Dictionary<string, string> synonyms = new(StringComparer.Ordinal)
    {
        ["t"] = "temperature",
        ["tempc"] = "temperature",
        ["h"] = "humidity",
        ["rh"] = "humidity",
        ["p"] = "pressure",
        ["baro"] = "pressure",
        ["carbondioxide"] = "co2",
        ["eco2"] = "equivalentco2ppm",
        ["tvoc"] = "totalvocppb",
        ["voc"] = "totalvocppb",
        ["cputemp"] = "cputempf",
        ["power"] = "PAC",
    };

    static readonly HashSet<string> plain = [.. measurements.Select(Plain)];

    /// <summary>Whether an unknown key differs from a known one only in case or in characters such as _ and -.</summary>
    internal static bool IsMisspelt(string key) => plain.Contains(Plain(key));

    /// <summary>The known key that was probably meant; null when none is near.</summary>
    public static string? Nearest(string key)
    {
        var wanted = Plain(key);
        if (wanted.Length == 0)
            return null;
        if (synonyms.TryGetValue(wanted, out var synonym))
            return synonym;
        return measurements.FirstOrDefault(name => Plain(name) == wanted)
            ?? measurements.FirstOrDefault(name => wanted.Length >= 3 && Plain(name).StartsWith(wanted, StringComparison.Ordinal))
            ?? measurements.FirstOrDefault(name => name.Length >= 3 && wanted.Contains(Plain(name), StringComparison.Ordinal))
            ?? measurements
                .Select(name => (Name: name, Distance: Distance(Plain(name), wanted)))
                .Where(near => near.Distance <= Math.Max(1, wanted.Length / 3))
                .OrderBy(near => near.Distance)
                .Select(near => near.Name)
                .FirstOrDefault();
    }

    static IEnumerable<string> Names(JsonFields fields) => fields.Measurements.Select(index => fields[index].Key.Name);

    static string Plain(string key) => string.Concat(key.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>The Levenshtein distance.</summary>
    static int Distance(string from, string to)
    {
        if (to.Length > 40)
            return int.MaxValue;
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var (diagonal, _) = (row[0], row[0] = i);
            for (var j = 1; j <= to.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
