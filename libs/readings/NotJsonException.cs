namespace ThermalStreaming.Readings;

/// <summary>A text, or a line of it, is not JSON; says where, and the likely cause.</summary>
sealed class NotJsonException(string reason) : PayloadException(reason);
