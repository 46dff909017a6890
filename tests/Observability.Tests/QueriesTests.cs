using System.Text.RegularExpressions;

namespace ThermalStreaming.Observability.Tests;

/// <summary>Dashboard, alerts and documentation name what the real services show, and nothing else.</summary>
public sealed partial class QueriesTests(RunningServices services) : IClassFixture<RunningServices>
{
    /// <summary>Shown with sensors that are attached (SensorAgent.Tests, HardwareSensorsTests).</summary>
    static readonly string[] ofSensors =
    [
        "thermal_agent_sensor_age_seconds",
        "thermal_agent_sensor_flagged_total",
        "thermal_agent_sensor_reads_total",
        "thermal_agent_sensor_working",
    ];

    /// <summary>Shown while the machine's clock follows another (SensorAgent.Tests, ClockMetricsTests), or if its kernel says so.</summary>
    static readonly string[] ofClocks =
    [
        "thermal_agent_clock_max_error_seconds",
        "thermal_agent_clock_offset_seconds",
        "thermal_agent_clock_synchronised",
    ];

    /// <summary>Shown once there was something out of the ordinary.</summary>
    static readonly string[] ofTrouble =
    [
        "thermal_forwarder_other_devices_heard_timestamp_seconds",
        "thermal_forwarder_readings_renumbered_total",
        "thermal_s3_invalid_readings_total",
        "thermal_snowpipe_errors_total",
        "thermal_snowpipe_invalid_readings_total",
    ];

    /// <summary>Only with SNOWPIPE_MONITOR=true.</summary>
    static readonly string[] ofLoads =
    [
        "thermal_loads_errors_total",
        "thermal_loads_files_total",
        "thermal_loads_lag_seconds",
        "thermal_loads_missed",
        "thermal_loads_pending",
        "thermal_loads_pending_age_seconds",
        "thermal_loads_rows_loaded_total",
        "thermal_loads_rows_sent_total",
    ];

    static readonly string[] sometimes = [.. ofSensors, .. ofClocks, .. ofTrouble, .. ofLoads];

    [Fact]
    public async Task Every_metric_of_the_dashboard_and_of_the_alerts_is_exported()
    {
        var exported = await ExportedAsync(exposition => exposition.Names);
        var asked = Queries
            .OfDashboard()
            .Concat(Queries.OfAlerts().Select(alert => alert.Query))
            .SelectMany(Queries.Metrics)
            .Distinct()
            .ToList();

        Assert.True(asked.Count > 40, $"only {asked.Count} metrics were found in the queries");
        // Prometheus' own.
        Assert.Equal(["up"], asked.Except(exported).Except(sometimes));
    }

    [Fact]
    public async Task The_table_in_the_documentation_is_that_of_the_services()
    {
        var table = File.ReadLines(Repository.File("docs/operations.md"))
            .Select(line => MetricRow().Match(line))
            .Where(match => match.Success)
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.Ordinal);
        var exported = await ExportedAsync(exposition => exposition.Types.Keys);

        Assert.Equal([], exported.Except(table.Keys).Order(StringComparer.Ordinal));
        Assert.Equal([], table.Keys.Except(exported).Except(sometimes).Order(StringComparer.Ordinal));
        foreach (var service in services.Services)
        {
            foreach (var (name, text) in Exposition.Parse(await service.MetricsAsync()).Help)
                Assert.StartsWith($"{name}: {text.TrimEnd('.')}", $"{name}: {table[name]}", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_alert_is_explained_tested_and_leads_to_its_documentation()
    {
        var page = File.ReadAllLines(Repository.File("docs/operations.md"));
        var anchors = page.Where(line => line.StartsWith('#')).Select(Anchor).ToHashSet(StringComparer.Ordinal);
        var rows = page.Select(line => AlertRow().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);
        var tests = File.ReadAllText(Repository.File("tests/Observability.Tests/alerts.test.yml"));
        var alerts = Queries.OfAlerts();

        Assert.Equal(alerts.Select(alert => alert.Name), rows);
        Assert.All(
            alerts,
            alert =>
            {
                Assert.Contains($"alertname=\"{alert.Name}\"", tests, StringComparison.Ordinal);
                Assert.StartsWith("docs/operations.md#", alert.Docs, StringComparison.Ordinal);
                Assert.Contains(alert.Docs.Split('#')[1], anchors);
            }
        );
    }

    /// <summary>As Git hosts make them of headings.</summary>
    static string Anchor(string heading) => NotInAnchors().Replace(heading.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    async Task<HashSet<string>> ExportedAsync(Func<Exposition, IEnumerable<string>> names)
    {
        var exported = new HashSet<string>(StringComparer.Ordinal);
        foreach (var service in services.Services)
            exported.UnionWith(names(Exposition.Parse(await service.MetricsAsync())));
        return exported;
    }

    [GeneratedRegex(@"^\| `((?:thermal|process|dotnet)_[a-z0-9_]+)` \| (.+) \|$")]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"^\| ([A-Z][a-z]+[A-Z][a-zA-Z]+) \| .+ \| .+ \|$")]
    private static partial Regex AlertRow();

    [GeneratedRegex("[^a-z0-9 -]")]
    private static partial Regex NotInAnchors();
}
