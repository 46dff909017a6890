using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The service's options: those of every forwarder, and those of its sink.</summary>
/// <param name="Forwarder">Options of every forwarder.</param>
/// <param name="S3">Options of the sink.</param>
/// <param name="Loads">Options of the monitoring of loads; null if it is off.</param>
sealed record S3ServiceOptions(ForwarderOptions Forwarder, S3Options S3, LoadOptions? Loads);
