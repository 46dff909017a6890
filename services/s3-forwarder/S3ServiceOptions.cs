using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The options of the service: of what all forwarders do, and of its own sink.</summary>
/// <param name="Forwarder">Of what all forwarders do.</param>
/// <param name="S3">Of its sink.</param>
/// <param name="Loads">Of the monitoring of loads; null when it is off.</param>
sealed record S3ServiceOptions(ForwarderOptions Forwarder, S3Options S3, LoadOptions? Loads);
