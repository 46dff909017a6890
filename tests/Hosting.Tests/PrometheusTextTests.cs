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

        Assert.Contains(
            "# TYPE test_rows_total counter\ntest_rows_total{kind=\"a\\\"b\\\\c\\nd\"} 5\n",
            rendered,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "# HELP test_level_bytes Level\n# TYPE test_level_bytes gauge\ntest_level_bytes 7\n",
            rendered,
            StringComparison.Ordinal
        );
        Assert.Contains("# TYPE test_duration_seconds histogram\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"0.0025\"} 0\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"0.005\"} 1\n", rendered, StringComparison.Ordinal);
        Assert.Contains("test_duration_seconds_bucket{le=\"120\"} 2\n", rendered, StringComparison.Ordinal);
        Assert.Contains(
            "test_duration_seconds_bucket{le=\"+Inf\"} 2\ntest_duration_seconds_sum 100.004\ntest_duration_seconds_count 2\n",
            rendered,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Leaves_other_meters_alone()
    {
        using var other = new Meter("other");
        other.CreateCounter<long>("foreign").Add(1);

        Assert.DoesNotContain("foreign", text.Render(), StringComparison.Ordinal);
    }

    /// <summary>Exposition format 0.0.4: a help text escapes the backslash and the line feed, and nothing else.</summary>
    [Fact]
    public void Escapes_help_texts_and_makes_names_of_labels()
    {
        meter
            .CreateCounter<long>("test.escaped", null, "Says \"yes\" in C:\\dir\nand ends")
            .Add(1, new KeyValuePair<string, object?>("a.b", "c"));

        Assert.Contains(
            "# HELP test_escaped_total Says \"yes\" in C:\\\\dir\\nand ends\n# TYPE test_escaped_total counter\ntest_escaped_total{a_b=\"c\"} 1\n",
            text.Render(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Writes_the_infinite_as_the_format_has_it()
    {
        meter.CreateObservableGauge("test.most", () => double.PositiveInfinity, null, "Most");
        meter.CreateObservableGauge("test.least", () => double.NegativeInfinity, null, "Least");

        Assert.Contains("\ntest_most +Inf\n", text.Render(), StringComparison.Ordinal);
        Assert.Contains("\ntest_least -Inf\n", text.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_without_end_share_one_series_beyond_the_most()
    {
        var counter = meter.CreateCounter<long>("test.flood", null, "Flood");
        for (var i = 0; i < 5000; i++)
            counter.Add(1, new KeyValuePair<string, object?>("name", i));
        counter.Add(1, new KeyValuePair<string, object?>("name", 3));

        var lines = text.Render().Split('\n').Where(line => line.StartsWith("test_flood_total{", StringComparison.Ordinal)).ToList();

        Assert.Equal(1001, lines.Count);
        Assert.Contains("test_flood_total{overflow=\"true\"} 4000", lines);
        Assert.Contains("test_flood_total{name=\"3\"} 2", lines);
    }

    [Fact]
    public void Shows_the_garbage_collector_of_dotnet_and_nothing_else_of_it()
    {
        GC.Collect();

        var rendered = text.Render();

        Assert.Contains("\ndotnet_gc_collections_total{gc_heap_generation=\"gen2\"} ", rendered, StringComparison.Ordinal);
        Assert.DoesNotContain("dotnet_thread_pool", rendered, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        meter.Dispose();
        text.Dispose();
    }
}
