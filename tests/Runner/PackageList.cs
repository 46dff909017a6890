using System.Text.Json;

namespace ThermalStreaming.Runner;

/// <summary>Known vulnerabilities of packages, as `dotnet list package --vulnerable --format json` names them.</summary>
static class PackageList
{
    static readonly string[] named = ["id", "advisoryurl"];

    /// <summary>Notes a failure if the list names any. What is no list is a warning.</summary>
    public static void Judge(TestRun run, string json, Narrator narrator)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            narrator.Warn($"vulnerabilities were not looked up: the answer of dotnet list package is not JSON ({e.Message})");
            return;
        }
        using (document)
            Judge(run, document, narrator);
    }

    static void Judge(TestRun run, JsonDocument document, Narrator narrator)
    {
        List<string> found = [];
        foreach (var package in Objects(document.RootElement).Where(element => element.TryGetProperty("vulnerabilities", out _)))
        {
            foreach (
                var text in Objects(package)
                    .SelectMany(element =>
                        named.Where(name => element.TryGetProperty(name, out _)).Select(name => element.GetProperty(name).ToString())
                    )
            )
            {
                found.Add(text);
            }
        }
        if (found.Count == 0)
            narrator.Say("no package has a known vulnerability");
        else
            run.AddFailure($"packages with known vulnerabilities: {string.Join(' ', found.Distinct().Order(StringComparer.Ordinal))}");
    }

    static IEnumerable<JsonElement> Objects(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Objects(member.Value)).Prepend(element),
            JsonValueKind.Array => element.EnumerateArray().SelectMany(Objects),
            _ => [],
        };
}
