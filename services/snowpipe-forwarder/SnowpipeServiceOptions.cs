using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The options of the service: of what all forwarders do, and of its own sink.</summary>
sealed record SnowpipeServiceOptions(ForwarderOptions Forwarder, SnowpipeOptions Snowpipe);
