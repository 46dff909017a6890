namespace ThermalStreaming.Mappings;

/// <summary>Where a field of a reading comes from.</summary>
/// <param name="Field">The field.</param>
/// <param name="Path">Of the value: from the payload, or from the member with <c>each</c>.</param>
/// <param name="Unit">The unit of the value; null for a text.</param>
/// <param name="UnitPath">Where the payload says the unit, from its root; null when it does not. <paramref name="Unit"/> then counts where
/// nothing stands there.</param>
/// <param name="Line">Of the mapping file.</param>
sealed record FieldRule(TargetField Field, JsonPath Path, Unit? Unit, JsonPath? UnitPath, int Line);
