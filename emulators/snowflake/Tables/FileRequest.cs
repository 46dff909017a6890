namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A file that a client named to insertFiles.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Path">Path of the file below the stage.</param>
/// <param name="ReceivedMs">When it was named, in milliseconds since 1970.</param>
readonly record struct FileRequest(long Id, string Path, long ReceivedMs);
