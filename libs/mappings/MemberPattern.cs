using System.Text.Json;

namespace ThermalStreaming.Mappings;

/// <summary>
/// Selects members of an object in a payload, each of which may hold a reading: a path whose last key may begin or end with <c>*</c>.
/// Immutable.
/// </summary>
/// <param name="Text">The pattern as written.</param>
/// <param name="Parent">The object.</param>
/// <param name="Name">Pattern of the members' names.</param>
/// <param name="Except">Members that are left out.</param>
sealed record MemberPattern(string Text, JsonPath Parent, NamePattern Name, IReadOnlyList<NamePattern> Except)
{
    /// <returns>Null if the text is not such a path.</returns>
    public static MemberPattern? Parse(string text, IReadOnlyList<NamePattern> except)
    {
        var dot = text.LastIndexOf('.');
        return
            JsonPath.Parse(dot < 0 ? "$" : text[..dot]) is { } parent
            && NamePattern.Parse(text[(dot + 1)..]) is { Capture: null } name
            && text.Length > dot + 1
            ? new MemberPattern(text, parent, name, except)
            : null;
    }

    /// <summary>The members that are objects, in order.</summary>
    public IEnumerable<(string Key, JsonElement Value)> Of(JsonElement payload) =>
        Parent.Find(payload) is { ValueKind: JsonValueKind.Object } parent
            ? parent
                .EnumerateObject()
                .Where(member => member.Value.ValueKind == JsonValueKind.Object)
                .Select(member => (Key: member.Name, member.Value))
                .Where(member => Name.Matches(member.Key, out _) && !Except.Any(except => except.Matches(member.Key, out _)))
                .DistinctBy(member => member.Key)
            : [];
}
