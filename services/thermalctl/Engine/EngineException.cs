namespace ThermalStreaming.Thermalctl;

/// <summary>Docker Engine does not answer, or refused a request; the message is its own.</summary>
sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);
