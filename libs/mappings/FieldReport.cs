namespace ThermalStreaming.Mappings;

/// <summary>What became of a field, for a person who tries a mapping.</summary>
/// <param name="Field">The key in the row.</param>
/// <param name="Path">Where its value was looked for.</param>
/// <param name="Value">What the row gets; null when it gets none.</param>
/// <param name="Reason">Why it gets none, or how the value was converted; empty when it is as it came.</param>
public sealed record FieldReport(string Field, string Path, string? Value, string Reason);
