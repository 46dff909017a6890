namespace ThermalStreaming.Forwarding;

/// <summary>Consecutive readings of a claim.</summary>
/// <param name="Claim">The claim.</param>
/// <param name="Stream">Their stream.</param>
/// <param name="First">Their first number.</param>
/// <param name="Last">Their last number, inclusive.</param>
readonly record struct ClaimedRun(SlotClaim Claim, StoredStream Stream, ulong First, ulong Last);
