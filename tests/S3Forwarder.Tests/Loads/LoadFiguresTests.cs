using System.Diagnostics.Metrics;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>What alerts about loads are made of.</summary>
public sealed class LoadFiguresTests
{
    /// <summary>Prometheus sees no increase in a series that begins with 1.</summary>
    [Theory]
    [InlineData("loaded")]
    [InlineData("partially_loaded")]
    [InlineData("failed")]
    public void Each_outcome_is_counted_from_zero_on(string state)
    {
        using var meter = new Meter(PrometheusText.MeterName);
        using var metrics = new PrometheusText();

        _ = new LoadFigures(meter, new StatusPage(), TimeProvider.System);

        Assert.Contains($"thermal_loads_files_total{{state=\"{state}\"}} 0\n", metrics.Render(), StringComparison.Ordinal);
    }
}
