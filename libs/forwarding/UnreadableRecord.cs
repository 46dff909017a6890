namespace ThermalStreaming.Forwarding;

/// <summary>A record, or the part of it that was in a batch, whose payload cannot be read.</summary>
/// <param name="Offset">Offset of its first reading.</param>
/// <param name="Count">How many readings it stands for.</param>
/// <param name="RecordOffset">Offset of the record's first reading.</param>
/// <param name="Record">The record, in the batch's memory.</param>
/// <param name="Reason">Why.</param>
readonly record struct UnreadableRecord(long Offset, int Count, long RecordOffset, ReadOnlyMemory<byte> Record, string Reason);
