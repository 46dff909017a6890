namespace ThermalStreaming.Mappings;

/// <summary>The outcome of one reading of a message.</summary>
/// <param name="Json">The reading with the keys of the rows: an object on one line, or as many as its extra values have.</param>
/// <param name="HasValue">Whether any measurement has a value. Without one it is not a reading.</param>
/// <param name="Problem">Why it is refused: file, line, field, path and what was found; null if it is not.</param>
/// <param name="Fields">The outcome of each field; empty unless requested.</param>
public sealed record MappedReading(ReadOnlyMemory<byte> Json, bool HasValue, string? Problem, IReadOnlyList<FieldReport> Fields);
