using ThermalStreaming.Testing;

namespace ThermalStreaming.Observability.Tests;

/// <summary>Prometheus' own tool on the files that are shipped.</summary>
public sealed class RulesTests
{
    const string AlertTests = "tests/Observability.Tests/alerts.test.yml";

    [Theory]
    [InlineData("check", "config", "deploy/observability/prometheus/prometheus.yml")]
    [InlineData("check", "rules", Queries.Alerts)]
    [InlineData("test", "rules", AlertTests)]
    public async Task Promtool_is_content(string verb, string what, string file)
    {
        var (code, output) = await Tool.PromtoolAsync(null, verb, what, file);

        Assert.True(code == 0, output);
        Assert.Contains("SUCCESS", output, StringComparison.Ordinal);
    }

    /// <summary>The tests of the alerts can fail.</summary>
    [Fact]
    public async Task An_alert_with_another_limit_does_not_pass_its_test()
    {
        using var directory = new TempDirectory();
        foreach (var file in new[] { Queries.Alerts, AlertTests })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(directory.File(file))!);
            var text = await File.ReadAllTextAsync(Repository.File(file));
            await File.WriteAllTextAsync(directory.File(file), text.Replace("< 1073741824", "< 1073", StringComparison.Ordinal));
        }

        var (code, output) = await Tool.PromtoolAsync(null, "test", "rules", directory.File(AlertTests));

        Assert.NotEqual(0, code);
        Assert.Contains("DiskNearlyFull", output, StringComparison.Ordinal);
    }
}
