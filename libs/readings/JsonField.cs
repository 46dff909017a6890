namespace ThermalStreaming.Readings;

/// <summary>A key that the rows have.</summary>
sealed record JsonField(RowKey Key, JsonType Type, JsonRole Role = JsonRole.Value);
