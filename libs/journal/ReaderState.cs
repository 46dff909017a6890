namespace ThermalStreaming.Journal;

/// <summary>What a reader must know about the segment that it reads.</summary>
/// <param name="Limit">File position up to which it may read.</param>
/// <param name="Gap">The damage that begins there, or in which the reader is; null if none follows.</param>
/// <param name="End">Offset just past the segment's last reading.</param>
/// <param name="IsLast">Whether no segment follows.</param>
/// <param name="Version">For <see cref="SegmentSet.WaitForChangeAsync"/>.</param>
readonly record struct ReaderState(long Limit, Gap? Gap, long End, bool IsLast, long Version);
