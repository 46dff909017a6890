using ThermalStreaming.Readings;
using ThermalStreaming.SensorAgent.Tests;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Observability.Tests;

/// <summary>Metrics by OTLP from a real service, to receivers that take them, are away or hang.</summary>
public sealed class OtlpTests
{
    const string Taken = "thermal_agent_readings_taken_total";

    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    // The agent takes and stores readings without a broker.
    static ServiceProcess Agent(params (string Key, string Value)[] settings) =>
        new(
            "SensorAgent",
            [
                ("MQTT_HOST", "127.0.0.1"),
                ("MQTT_PORT", $"{Ports.Take()}"),
                ("MQTT_CERTIFICATE_PORT", "0"),
                ("DEVICE_ID", "pi"),
                ("SOURCE", "simulate"),
                ("CLOCK_PATIENCE", "0"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
                .. settings,
            ]
        );

    [Theory]
    [InlineData(false, "OTLP_ENDPOINT", "")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "/v1/metrics")]
    [InlineData(true, "OTLP_ENDPOINT", "")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    public async Task They_arrive_with_the_name_of_the_service_its_headers_and_its_bounds(bool isGrpc, string variable, string path)
    {
        var port = Ports.Take();
        await using var receiver = await OtlpReceiver.StartAsync(port, isGrpc);
        using var agent = Agent(
            (variable, $"http://127.0.0.1:{port}{path}"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=secret"),
            ("OTEL_RESOURCE_ATTRIBUTES", "site=roof"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", isGrpc ? "grpc" : "")
        );

        await UntilAsync(agent, () => receiver.Metrics.ContainsKey("thermal.agent.readings.taken"));
        await agent.LogsAsync($"Metrics are sent to http://127.0.0.1:{port}");

        Assert.Equal(("{reading}", "sum"), receiver.Metrics["thermal.agent.readings.taken"]);
        Assert.Equal(("By", "gauge"), receiver.Metrics["process.resident_memory"]);
        Assert.Contains("dotnet.gc.collections", receiver.Metrics.Keys);
        Assert.DoesNotContain(receiver.Metrics.Keys, name => name.StartsWith("dotnet.thread_pool", StringComparison.Ordinal));
        Assert.Equal(
            ("sensor-agent", "thermal-streaming", "roof"),
            (receiver.Resource["service.name"], receiver.Resource["service.namespace"], receiver.Resource["site"])
        );
        Assert.Equal("secret", receiver.Token);
        // The first export may come before the service has started, when nothing handles its stop yet.
        await TakesReadingsAsync(agent);
        Assert.Equal(0, await agent.StopAsync());
    }

    [Fact]
    public async Task A_receiver_that_is_away_is_named_and_found_again_and_disturbs_nothing()
    {
        var port = Ports.Take();
        using var agent = Agent(("OTLP_ENDPOINT", $"http://127.0.0.1:{port}"));

        await agent.LogsAsync($"Metrics do not arrive at http://127.0.0.1:{port}/v1/metrics by OTLP: Connection refused");
        await TakesReadingsAsync(agent);
        await using var receiver = await OtlpReceiver.StartAsync(port);
        await UntilAsync(agent, () => receiver.Metrics.ContainsKey("thermal.agent.readings.taken"));
        await agent.LogsAsync($"Metrics are sent to http://127.0.0.1:{port}");

        Assert.Single(agent.Log.Split('\n'), line => line.Contains("do not arrive", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_receiver_that_hangs_holds_up_neither_the_service_nor_its_stop()
    {
        var port = Ports.Take();
        await using var receiver = await OtlpReceiver.StartAsync(port, isSilent: true);
        // Longer than this test is patient.
        using var agent = Agent(("OTLP_ENDPOINT", $"http://127.0.0.1:{port}"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"));
        await UntilAsync(agent, () => receiver.Requests > 0);

        await TakesReadingsAsync(agent);

        Assert.Equal(0, await agent.StopAsync());
    }

    [Fact]
    public async Task Histograms_have_the_bounds_of_the_metrics_page()
    {
        var port = Ports.Take();
        await using var broker = await MosquittoProcess.StartAsync();
        await using var receiver = await OtlpReceiver.StartAsync(port);
        using var agent = Agent(("OTLP_ENDPOINT", $"http://127.0.0.1:{port}"), ("MQTT_PORT", $"{broker.Port}"));
        await using var forwarder = new SpeakingForwarder(broker.Port, ReadingKind.Thermal);
        await UntilAsync(agent, () => receiver.Bounds.ContainsKey("thermal.request.duration"));

        var bounds = receiver.Bounds["thermal.request.duration"];
        Assert.Equal((18, 0.001, 120), (bounds.Length, bounds[0], bounds[^1]));
    }

    [Theory]
    [InlineData("OTLP_ENDPOINT", "collector:4318")]
    [InlineData("OTLP_ENDPOINT", "http://me:secret@collector:4318")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "1m")]
    public async Task What_cannot_work_is_said_before_the_start(string variable, string value)
    {
        using var agent = Agent((variable, value));

        Assert.Equal(78, await agent.ExitAsync());
        await agent.LogsAsync($"config: {variable} is ");
        Assert.DoesNotContain("secret", agent.Log, StringComparison.Ordinal);
    }

    static async Task TakesReadingsAsync(ServiceProcess agent)
    {
        var before = Exposition.Parse(await agent.MetricsAsync(_ => true, "it does not answer")).Sum(Taken);
        await agent.MetricsAsync(text => Exposition.Parse(text).Sum(Taken) > before, "no readings are taken");
    }

    static async Task UntilAsync(ServiceProcess service, Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!condition())
        {
            if (timeout.IsCancellationRequested)
                Assert.Fail(service.Log);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
    }
}
