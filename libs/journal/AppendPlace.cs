namespace ThermalStreaming.Journal;

/// <summary>Where a group goes.</summary>
/// <param name="Mode">How it is written.</param>
/// <param name="Last">The last segment now.</param>
/// <param name="First">Offset of the group's first reading.</param>
readonly record struct AppendPlace(AppendMode Mode, Segment Last, long First);
