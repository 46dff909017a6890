namespace ThermalStreaming.Forwarding;

/// <summary>The readings that are known to be committed.</summary>
/// <param name="Offset">First offset that is not committed.</param>
/// <param name="Durable">True when nothing else remembers this: then the commit counts only once the cursor is on disk.</param>
public readonly record struct SinkCommit(long Offset, bool Durable = false);
