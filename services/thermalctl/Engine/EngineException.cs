namespace ThermalStreaming.Thermalctl;

/// <summary>Docker Engine does not answer, or refused a request; the message is the engine's.</summary>
sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);
