namespace ThermalStreaming.Forwarding;

/// <summary>What a sink is told when it opens.</summary>
/// <param name="Slot">The slot that is delivered.</param>
/// <param name="Cursor">First offset that the journal does not know to be committed.</param>
/// <param name="FirstStored">First offset that is still in the journal.</param>
/// <param name="End">One past the last offset in the journal.</param>
public sealed record SinkStart(SlotContext Slot, long Cursor, long FirstStored, long End);
