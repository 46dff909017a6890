namespace ThermalStreaming.Readings;

/// <summary>A text, or a line of one, that is not JSON; where and the likely cause.</summary>
sealed class NotJsonException(string reason) : PayloadException(reason);
