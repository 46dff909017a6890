namespace ThermalStreaming.Journal;

/// <summary>A moment in the log: the readings from <paramref name="Offset"/> on were appended at or after it.</summary>
/// <param name="Offset">Offset of the next reading.</param>
/// <param name="WallMilliseconds">Wall clock, Unix milliseconds. May step in either direction.</param>
/// <param name="OpenMilliseconds">Time for which the journal has been open in its life; never steps back.</param>
readonly record struct TimeMark(long Offset, long WallMilliseconds, long OpenMilliseconds);
