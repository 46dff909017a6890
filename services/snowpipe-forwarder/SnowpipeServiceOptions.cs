using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The service's options: those of every forwarder, and those of its sink.</summary>
sealed record SnowpipeServiceOptions(ForwarderOptions Forwarder, SnowpipeOptions Snowpipe);
