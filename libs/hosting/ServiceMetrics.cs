using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Hosting;

/// <summary>What every service shows about itself: its version, whether it is well, and the figures of its process.</summary>
static class ServiceMetrics
{
    /// <summary>The version of this program, for example <c>0.1.0</c>.</summary>
    public static string Version { get; } = typeof(ServiceMetrics).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    /// <summary>Makes the instruments. Once.</summary>
    /// <param name="meter">Of the service.</param>
    /// <param name="service">Its name.</param>
    /// <param name="health">Its parts.</param>
    public static void Publish(Meter meter, string service, Health health)
    {
        KeyValuePair<string, object?>[] build =
        [
            new("service", service),
            new("version", Version),
            new("runtime", Environment.Version.ToString()),
            new("architecture", RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()),
        ];
        meter.CreateObservableGauge(
            "thermal.build.info",
            () => new Measurement<int>(1, build),
            null,
            "Always 1; the labels say which program this is"
        );
        meter.CreateObservableGauge(
            "thermal.service.ready",
            () => health.IsReady ? 1 : 0,
            null,
            "1 while every part of the service is healthy, else 0; same as /readyz"
        );
        // This program names the parts, after its slots, kinds of readings and buses: there are never many.
        meter.CreateObservableGauge(
            "thermal.service.part.ready",
            () =>
                health.Parts.Select(part => new Measurement<int>(
                    part.Value is null ? 1 : 0,
                    new KeyValuePair<string, object?>("part", part.Key)
                )),
            null,
            "1 while this part of the service is healthy, else 0; /readyz says why"
        );
        var bootTime = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch - new Kernel().SinceBoot()).TotalSeconds;
        new ProcessFigures("/proc/self", bootTime).Publish(meter);
    }
}
