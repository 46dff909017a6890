using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>What earlier cells have got of an outbox.</summary>
/// <param name="Kind">Of the readings.</param>
/// <param name="Epoch">The outbox's, which a new outbox does not have.</param>
/// <param name="Offset">The first offset that they do not have.</param>
sealed record CellMark(ReadingKind Kind, string Epoch, long Offset);
