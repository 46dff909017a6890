namespace ThermalStreaming.Mappings;

/// <summary>Where a field of a reading comes from.</summary>
/// <param name="Field">The field.</param>
/// <param name="Path">Path of the value: from the payload, or from the member with <c>each</c>.</param>
/// <param name="Unit">The unit of the value; null for a text.</param>
/// <param name="UnitPath">
/// Path of the unit in the payload, from its root; null if the payload does not say it. If nothing is there, <paramref name="Unit"/>
/// counts.
/// </param>
/// <param name="Line">Line in the mapping file.</param>
sealed record FieldRule(TargetField Field, JsonPath Path, Unit? Unit, JsonPath? UnitPath, int Line);
