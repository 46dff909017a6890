using System.Diagnostics.Metrics;

namespace ThermalStreaming.Hosting.Tests;

public sealed class PrometheusTextTests : IDisposable
{
    readonly PrometheusText text = new();
    readonly Meter meter = new(PrometheusText.MeterName);

    [Fact]
    public void Shows_counters_gauges_and_histograms_in_the_text_format()
    {
        var counter = meter.CreateCounter<long>("test.rows", "{row}", "Rows");
        counter.Add(2, new KeyValuePair<string, object?>("kind", "a\"b\\c\nd"));
        counter.Add(3, new KeyValuePair<string, object?>("kind", "a\"b\\c\nd"));
        var level = 5.5;
        meter.CreateObservableGauge("test.level", () => level, "By", "Level");
        var histogram = meter.CreateHistogram<double>("test.duration", "s", "Took");
        histogram.Record(0.004);
        histogram.Record(100);

        _ = text.Render();
        level = 7;
        var rendered = text.Render();

        Assert.Contains("# TYPE test_rows_total counter\ntest_rows_total{kind=\"a\\\"b\\\\c\\nd\"} 5\n", rendered, StringComparison.Ordinal);
        Assert.Contains("# HELP test_level_bytes Level\n# TYPE test_level_bytes gauge\ntest_level_bytes 7\n", rendered, StringComparison.Ordinal);
        Assert.Contains("# TYPE test_duration_seconds histogram\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"0.0025\"} 0\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"0.005\"} 1\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"120\"} 2\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"+Inf\"} 2\ntest_duration_seconds_sum 100.004\ntest_duration_seconds_count 2\n", rendered, StringComparison.Ordinal);
    }

    [Fact]
    public void Leaves_other_meters_alone()
    {
        using var other = new Meter("other");
        other.CreateCounter<long>("foreign").Add(1);

        Assert.DoesNotContain("foreign", text.Render(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        meter.Dispose();
        text.Dispose();
    }
}
