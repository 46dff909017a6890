namespace ThermalStreaming.Thermalctl;

/// <summary>How an awaited container ended.</summary>
sealed record WaitAnswer(int StatusCode);
