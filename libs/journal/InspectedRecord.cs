namespace ThermalStreaming.Journal;

/// <summary>A record found by looking at the files.</summary>
readonly record struct InspectedRecord(long Offset, int Count, ReadOnlyMemory<byte> Payload);
