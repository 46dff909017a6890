using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>How much of an outbox earlier cells already have.</summary>
/// <param name="Kind">Kind of the readings.</param>
/// <param name="Epoch">Epoch of the outbox. A new outbox has another one.</param>
/// <param name="Offset">The first offset that they do not have.</param>
sealed record CellMark(ReadingKind Kind, string Epoch, long Offset);
