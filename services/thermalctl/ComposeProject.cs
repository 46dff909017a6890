using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The settings as Compose sees them: the output of <c>docker compose config --format json</c> for the Compose files, the environment and
/// <c>.env</c>. Immutable.
/// </summary>
sealed class ComposeProject
{
    readonly JsonElement root;

    ComposeProject(JsonElement root) => this.root = root;

    /// <summary>Name of the Compose project.</summary>
    public string Name => Value("name") ?? "";

    /// <summary>Its services, in alphabetical order.</summary>
    public IReadOnlyList<string> Services =>
        [.. root.GetProperty("services").EnumerateObject().Select(service => service.Name).Order(StringComparer.Ordinal)];

    /// <summary>Whether local stand-ins take the place of Snowflake and S3.</summary>
    public bool HasStandIns => Has("snowflake");

    /// <exception cref="JsonException">The text is not Compose's output.</exception>
    public static ComposeProject Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("services", out _)
            ? new ComposeProject(root.Clone())
            : throw new JsonException("the settings have no services");
    }

    public bool Has(string service) => root.GetProperty("services").TryGetProperty(service, out _);

    /// <summary>How many replicas of a service the settings ask for.</summary>
    public int ScaleOf(string service) =>
        int.TryParse(Value("services", service, "scale") ?? Value("services", service, "deploy", "replicas"), out var scale) ? scale : 1;

    /// <summary>
    /// A value by the names and indexes that lead to it; null if there is none or it is empty. Compose doubles each dollar sign in its
    /// output, which is undone here.
    /// </summary>
    public string? Value(params IReadOnlyList<string> path)
    {
        var found = root;
        foreach (var name in path)
        {
            switch (found.ValueKind)
            {
                case JsonValueKind.Object when found.TryGetProperty(name, out var member):
                    found = member;
                    break;
                case JsonValueKind.Array
                    when uint.TryParse(name, CultureInfo.InvariantCulture, out var index) && index < found.GetArrayLength():
                    found = found[(int)index];
                    break;
                default:
                    return null;
            }
        }
        var text = found.ValueKind switch
        {
            JsonValueKind.String => found.GetString()!.Replace("$$", "$", StringComparison.Ordinal),
            JsonValueKind.Number => found.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => "",
        };
        return text.Length > 0 ? text : null;
    }

    /// <summary>The elements of a list, or their <paramref name="member"/> if they are objects.</summary>
    public IEnumerable<string> Values(string member, params IReadOnlyList<string> path)
    {
        for (var index = 0; ; index++)
        {
            var place = index.ToString(CultureInfo.InvariantCulture);
            if ((Value([.. path, place]) ?? Value([.. path, place, member])) is not { } value)
                yield break;
            yield return value;
        }
    }

    /// <summary>The machine's port that leads to a service's <paramref name="target"/>, as written; null if it is not published.</summary>
    public string? HostPort(string service, int target) => OfPort(service, target, "published");

    /// <summary>The machine's address on which that port is published; null if it is not published, or on every address.</summary>
    public string? HostAddress(string service, int target) => OfPort(service, target, "host_ip");

    string? OfPort(string service, int target, string member)
    {
        var wanted = target.ToString(CultureInfo.InvariantCulture);
        for (var index = 0; ; index++)
        {
            string[] port = ["services", service, "ports", index.ToString(CultureInfo.InvariantCulture)];
            if (Value([.. port, "target"]) is not { } found)
                return null;
            if (found == wanted)
                return Value([.. port, member]);
        }
    }
}
