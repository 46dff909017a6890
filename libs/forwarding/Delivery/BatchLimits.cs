namespace ThermalStreaming.Forwarding;

/// <summary>Where a batch is cut: at whichever limit is reached first.</summary>
/// <param name="MaxReadings">Most readings in a batch.</param>
/// <param name="MaxBytes">Most bytes of JSON lines in a batch, before compression, by a safe estimate.</param>
/// <param name="Linger">How long the first reading of a batch waits for others.</param>
public sealed record BatchLimits(int MaxReadings, int MaxBytes, TimeSpan Linger);
