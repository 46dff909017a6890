namespace ThermalStreaming.Mappings;

/// <summary>The outcome of a field, for a person who tries a mapping.</summary>
/// <param name="Field">The key in the row.</param>
/// <param name="Path">Where the mapper looked for its value.</param>
/// <param name="Value">The value in the row; null if there is none.</param>
/// <param name="Reason">Why there is none, or how the value was converted; empty if it is unchanged.</param>
public sealed record FieldReport(string Field, string Path, string? Value, string Reason);
