namespace ThermalStreaming.Thermalctl;

/// <summary>The result of one look at the project.</summary>
/// <param name="IsDone">Whether the awaited event has happened.</param>
/// <param name="Progress">The progress, for a person.</param>
/// <param name="Late">The service that has not done its part; empty if that is not known.</param>
sealed record WaitStatus(bool IsDone, string Progress, string Late = "");
