using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The options of the service: of what all forwarders do, and of its own sink.</summary>
sealed record S3ServiceOptions(ForwarderOptions Forwarder, S3Options S3);
