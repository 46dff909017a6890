using System.Text.RegularExpressions;

namespace ThermalStreaming.Observability.Tests;

/// <summary>What the real services show at <c>/metrics</c>.</summary>
public sealed partial class MetricsTests(RunningServices services, ITestOutputHelper output) : IClassFixture<RunningServices>
{
    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_any_service()
    {
        foreach (var service in services.Services)
        {
            var text = await service.MetricsAsync();

            var (code, said) = await Tool.PromtoolAsync(text, "check", "metrics");

            output.WriteLine(text);
            Assert.Equal((0, ""), (code, said));
        }
    }

    [Fact]
    public async Task Every_service_says_what_it_is_how_it_is_and_what_its_process_takes()
    {
        foreach (var service in services.Services)
        {
            var metrics = Exposition.Parse(await service.MetricsAsync(text => text.Contains("thermal_service_ready 1"), "it is not ready"));

            Assert.Equal(1, metrics.Value("thermal_build_info"));
            Assert.Matches("^service=\"[a-z0-9-]+\",version=\"[0-9.]+\",", Assert.Single(metrics.Labels("thermal_build_info")));
            Assert.NotEmpty(metrics.Labels("thermal_service_part_ready"));
            Assert.InRange(metrics.Value("process_resident_memory_bytes")!.Value, 1e6, 1e9);
            Assert.InRange(metrics.Value("process_cpu_seconds_total")!.Value, 0.01, 1000);
            Assert.InRange(metrics.Value("process_open_fds")!.Value, 3, 10_000);
            Assert.True(metrics.Value("process_max_fds") >= metrics.Value("process_open_fds"));
            Assert.True(metrics.Value("process_disk_written_bytes_total") >= 0);
            // Started during this test run.
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
            Assert.InRange(metrics.Value("process_start_time_seconds")!.Value, now - 3600, now + 2);
            Assert.True(metrics.Value("thermal_data_volume_free_bytes") <= metrics.Value("thermal_data_volume_size_bytes"));
            Assert.True(metrics.Sum("dotnet_gc_collections_total") > 0);
        }
    }

    [Fact]
    public async Task Requests_are_counted_by_operation_and_status()
    {
        var agent = Exposition.Parse(await services.Agent.MetricsAsync());
        var snowpipe = Exposition.Parse(await services.Snowpipe.MetricsAsync());
        var s3 = Exposition.Parse(await services.S3.MetricsAsync());

        const string Count = "thermal_request_duration_seconds_count";
        Assert.Contains("operation=\"publish\",status=\"success\"", agent.Labels(Count));
        Assert.Superset(
            new HashSet<string>(["append", "open", "status"], StringComparer.Ordinal),
            snowpipe
                .Labels(Count)
                .Where(labels => labels.EndsWith("status=\"200\"", StringComparison.Ordinal))
                .Select(Operation)
                .ToHashSet()
        );
        Assert.Contains("operation=\"put\",status=\"200\"", s3.Labels(Count));
        Assert.DoesNotContain(snowpipe.Labels(Count).Concat(s3.Labels(Count)), labels => Operation(labels) == "other");

        static string Operation(string labels) => OperationLabel().Match(labels).Groups[1].Value;
    }

    [Fact]
    public async Task Both_forwarders_tell_when_a_device_was_heard_and_what_was_committed()
    {
        foreach (var forwarder in new[] { services.Snowpipe, services.S3 })
        {
            var metrics = Exposition.Parse(await forwarder.MetricsAsync());

            Assert.Equal("device=\"pi\"", Assert.Single(metrics.Labels("thermal_forwarder_device_heard_timestamp_seconds")));
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
            Assert.InRange(metrics.Value("thermal_forwarder_device_heard_timestamp_seconds")!.Value, now - 120, now + 1);
            Assert.InRange(
                metrics.Value("thermal_forwarder_readings_committed_total")!.Value,
                1,
                metrics.Value("thermal_forwarder_readings_stored_total")!.Value
            );
            Assert.Equal(0, metrics.Value("thermal_forwarder_messages_dropped_total"));
        }
    }

    [GeneratedRegex("operation=\"([a-z_0-9]+)\"")]
    private static partial Regex OperationLabel();
}
