using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Sends the metrics that <c>/metrics</c> shows to a receiver, with OpenTelemetry's own exporter, on its own thread. The receiver cannot
/// affect the service or <c>/metrics</c>. If switched off, none of this code runs.
/// </summary>
sealed partial class OtlpExport : IDisposable
{
    /// <summary>How long a stop may spend on the last export.</summary>
    static readonly TimeSpan stopTime = TimeSpan.FromSeconds(2);

    readonly MeterProvider provider;

    OtlpExport(MeterProvider provider) => this.provider = provider;

    /// <summary>Starts it. Throws nothing.</summary>
    /// <returns>Ends the export when disposed; null if it is switched off, or cannot be started (the log says why).</returns>
    public static OtlpExport? Start(OtlpOptions? options, string service, ILogger logger)
    {
        if (options is null)
            return null;
        try
        {
            return new(Build(options, service, logger));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The exporter reads its own variables, and throws for some of their values.
            LogNotStarted(logger, options.Shown, e.Message);
            return null;
        }
    }

    public void Dispose()
    {
        // A receiver that hangs must not hold up the stop, even if the exporter does not keep its own time limit.
        var end = Task.Run(() => provider.Shutdown((int)stopTime.TotalMilliseconds));
        try
        {
            if (end.Wait(stopTime + TimeSpan.FromSeconds(1)))
                provider.Dispose();
        }
        catch (AggregateException)
        {
            // The last export failed; the process ends.
        }
    }

    static MeterProvider Build(OtlpOptions options, string service, ILogger logger)
    {
        var answers = new OtlpAnswers();
        // It reads headers, time limit and certificates from its own variables.
        var exporter = new OtlpExporterOptions
        {
            Endpoint = options.Endpoint,
            Protocol = options.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
        };
        // The exporter asks for a client only with HTTP. For gRPC, and for certificates that its variables name, it makes its own.
        if (!options.HasCertificates)
            exporter.HttpClientFactory = () => answers.Client(TimeSpan.FromMilliseconds(exporter.TimeoutMilliseconds));
        var report = new OtlpReport(options, answers, logger);
        return Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(
                ResourceBuilder
                    .CreateEmpty()
                    .AddTelemetrySdk()
                    .AddService(
                        service,
                        "thermal-streaming",
                        ServiceMetrics.Version,
                        autoGenerateServiceInstanceId: false,
                        Environment.MachineName
                    )
                    .AddEnvironmentVariableDetector()
            )
            .AddMeter(PrometheusText.MeterName, PrometheusText.RuntimeMeterName)
            .AddView(instrument =>
                !PrometheusText.IsShown(instrument) ? MetricStreamConfiguration.Drop
                : instrument is Histogram<double>
                    ? new ExplicitBucketHistogramConfiguration { Boundaries = PrometheusText.Buckets.ToArray() }
                : null
            )
            .AddReader(
                new PeriodicExportingMetricReader(
                    new ReportingOtlpExporter(exporter, report),
                    (int)options.Interval.TotalMilliseconds,
                    exporter.TimeoutMilliseconds
                )
            )
            .Build();
    }

    [LoggerMessage(
        EventId = 620,
        Level = LogLevel.Error,
        Message = "Metrics are not sent to {Receiver}: the exporter for OTLP could not be started ({Reason}). The service and /metrics are not "
            + "affected. Correct the variables that begin with OTEL_, then start the service again"
    )]
    static partial void LogNotStarted(ILogger logger, string receiver, string reason);
}
