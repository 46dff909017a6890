using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Observability.Tests;

/// <summary>The queries that the project ships.</summary>
static partial class Queries
{
    public const string Dashboard = "deploy/observability/grafana/dashboards/thermal-streaming.json";
    public const string Alerts = "deploy/observability/prometheus/alerts.yml";

    /// <summary>The panels' queries, with a span in the place of Grafana's variable.</summary>
    public static IReadOnlyList<string> OfDashboard()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Repository.File(Dashboard)));
        return
        [
            .. json
                .RootElement.GetProperty("panels")
                .EnumerateArray()
                .Where(panel => panel.TryGetProperty("targets", out _))
                .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
                .Select(target => target.GetProperty("expr").GetString()!.Replace("$__rate_interval", "2m", StringComparison.Ordinal)),
        ];
    }

    /// <summary>The alerts with their query, and the part of the documentation that they name.</summary>
    public static IReadOnlyList<(string Name, string Query, string Docs)> OfAlerts()
    {
        var yaml = new YamlStream();
        using var text = new StringReader(File.ReadAllText(Repository.File(Alerts)));
        yaml.Load(text);
        var group = (YamlMappingNode)((YamlSequenceNode)((YamlMappingNode)yaml.Documents[0].RootNode)["groups"])[0];
        return
        [
            .. ((YamlSequenceNode)group["rules"])
                .Cast<YamlMappingNode>()
                .Select(rule => ($"{rule["alert"]}", $"{rule["expr"]}", $"{rule["annotations"]["docs"]}")),
        ];
    }

    /// <summary>The metrics that a query names.</summary>
    public static IEnumerable<string> Metrics(string query) =>
        Name().Matches(Matchers().Replace(Grouping().Replace(query, " "), " ")).Select(match => match.Value);

    [GeneratedRegex(@"\b(by|on|without|ignoring)\s*\([^)]*\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]")]
    private static partial Regex Matchers();

    // Other words of a query are its functions and operators.
    [GeneratedRegex(@"\b(up|(thermal|process|dotnet)_[a-z0-9_]+)\b")]
    private static partial Regex Name();
}
