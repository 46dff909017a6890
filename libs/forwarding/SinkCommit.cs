namespace ThermalStreaming.Forwarding;

/// <summary>The readings that are known to be committed.</summary>
/// <param name="Offset">First offset that is not committed.</param>
/// <param name="Durable">True when no other place remembers this: the cursor must be on disk before the call is worth anything.</param>
public readonly record struct SinkCommit(long Offset, bool Durable = false);
