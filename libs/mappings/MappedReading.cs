namespace ThermalStreaming.Mappings;

/// <summary>What became of a reading of a message.</summary>
/// <param name="Json">The reading with the keys of the rows: an object on one line, or as many as its extra values have.</param>
/// <param name="HasValue">Whether any measurement has a value. Without one it is no reading.</param>
/// <param name="Problem">Why it cannot be taken: file, line, field, path and what was found; null when it can.</param>
/// <param name="Fields">What became of each field; empty unless that was wanted.</param>
public sealed record MappedReading(ReadOnlyMemory<byte> Json, bool HasValue, string? Problem, IReadOnlyList<FieldReport> Fields);
