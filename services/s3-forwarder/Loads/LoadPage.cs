namespace ThermalStreaming.S3Forwarder;

/// <summary>An answer of loadHistoryScan.</summary>
/// <param name="Files">The files, oldest first.</param>
/// <param name="IsComplete">False: there are more from <paramref name="RangeEnd"/> on.</param>
/// <param name="RangeEnd">Time of the newest of them; null if there is none.</param>
readonly record struct LoadPage(IReadOnlyList<LoadedFile> Files, bool IsComplete, DateTimeOffset? RangeEnd);
