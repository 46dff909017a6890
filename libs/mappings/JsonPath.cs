using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Mappings;

/// <summary>
/// Location of a value in a JSON payload: keys separated by dots, <c>[n]</c> for an item of a list, <c>['…']</c> for a key that contains a
/// dot, and <c>$</c> for the payload itself. Immutable.
/// </summary>
sealed class JsonPath
{
    readonly (string? Key, int Index)[] steps;

    JsonPath(string text, (string? Key, int Index)[] steps) => (Text, this.steps) = (text, steps);

    /// <summary>The path as written.</summary>
    public string Text { get; }

    /// <summary>Whether it is the payload itself.</summary>
    public bool IsRoot => steps.Length == 0;

    /// <returns>Null if the text is not a path.</returns>
    public static JsonPath? Parse(string text)
    {
        var steps = new List<(string? Key, int Index)>();
        var rest = text.AsSpan();
        if (rest.StartsWith("$") && (rest.Length == 1 || rest[1] is '.' or '['))
        {
            rest = rest[1..];
            if (rest.Length > 0 && rest[0] == '.')
                rest = rest[1..];
            else if (rest.IsEmpty)
                return new JsonPath(text, []);
        }
        while (true)
        {
            if (rest.StartsWith("["))
            {
                var isKey = rest.StartsWith("['");
                var end = isKey ? rest[2..].IndexOf("']") : rest.IndexOf(']');
                // No end, or no number where one should be.
                if (end < (isKey ? 0 : 2))
                    return null;
                end += isKey ? 3 : 0;
                var inside = rest[1..end];
                if (isKey)
                    steps.Add((inside[1..^1].ToString(), 0));
                else if (int.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                    steps.Add((null, index));
                else
                    return null;
                rest = rest[(end + 1)..];
            }
            else
            {
                var end = rest.IndexOfAny('.', '[');
                var key = end < 0 ? rest : rest[..end];
                if (key.IsEmpty || key.Contains(']'))
                    return null;
                steps.Add((key.ToString(), 0));
                rest = end < 0 ? [] : rest[end..];
            }
            if (rest.IsEmpty)
                return new JsonPath(text, [.. steps]);
            if (rest[0] == '.')
                rest = rest[1..];
        }
    }

    /// <summary>Follows the path from <paramref name="from"/>; null if it leads nowhere.</summary>
    public JsonElement? Find(JsonElement from)
    {
        foreach (var (key, index) in steps)
        {
            if (key is null)
            {
                if (from.ValueKind != JsonValueKind.Array || index >= from.GetArrayLength())
                    return null;
                from = from[index];
            }
            else if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(key, out from))
            {
                return null;
            }
        }
        return from;
    }
}
