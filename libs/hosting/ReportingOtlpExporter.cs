using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;

namespace ThermalStreaming.Hosting;

/// <summary>OpenTelemetry's exporter, which does not log its own failures.</summary>
/// <param name="options">Of the exporter.</param>
/// <param name="report">Gets the outcome of each export.</param>
sealed class ReportingOtlpExporter(OtlpExporterOptions options, OtlpReport report) : OtlpMetricExporter(options)
{
    public override ExportResult Export(in Batch<Metric> metrics)
    {
        var result = base.Export(metrics);
        report.Exported(result == ExportResult.Success);
        return result;
    }
}
