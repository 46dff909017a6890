namespace ThermalStreaming.Journal;

/// <summary>What code that reads a whole segment must know about it and its journal.</summary>
/// <param name="Size">Bytes of the file that are durable.</param>
/// <param name="End">Offset just past its last reading.</param>
/// <param name="Committed">First offset of the journal that is not committed.</param>
/// <param name="FirstStored">First offset that the journal still stores.</param>
/// <param name="IsStored">Whether the segment is still part of the journal, and not deleted.</param>
readonly record struct SegmentExtent(long Size, long End, long Committed, long FirstStored, bool IsStored);
