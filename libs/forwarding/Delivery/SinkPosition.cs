namespace ThermalStreaming.Forwarding;

/// <summary>Where delivery continues.</summary>
/// <param name="Offset">First offset to send.</param>
/// <param name="BatchEnd">When set, the first batch must end exactly here (one past its last offset): it was planned before a
/// crash.</param>
public readonly record struct SinkPosition(long Offset, long? BatchEnd = null);
