using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>One reading of a batch: its offset and where it lies in its decoded message.</summary>
public readonly record struct BatchReading(long Offset, Payload Payload, int Index);
