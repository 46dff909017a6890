using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;

namespace ThermalStreaming.Hosting;

/// <summary>OpenTelemetry's exporter, whose own failures go to no log.</summary>
/// <param name="options">Of the exporter.</param>
/// <param name="report">Hears how each export went.</param>
sealed class ReportingOtlpExporter(OtlpExporterOptions options, OtlpReport report) : OtlpMetricExporter(options)
{
    public override ExportResult Export(in Batch<Metric> metrics)
    {
        var result = base.Export(metrics);
        report.Exported(result == ExportResult.Success);
        return result;
    }
}
