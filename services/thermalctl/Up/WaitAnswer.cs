namespace ThermalStreaming.Thermalctl;

/// <summary>How a container that was waited for has ended.</summary>
sealed record WaitAnswer(int StatusCode);
