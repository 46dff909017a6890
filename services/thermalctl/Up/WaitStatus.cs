namespace ThermalStreaming.Thermalctl;

/// <summary>What a look at the project found.</summary>
/// <param name="IsDone">What was waited for has happened.</param>
/// <param name="Progress">How far it is, for a person.</param>
/// <param name="Late">The service that has not done its part; empty if it cannot be told.</param>
sealed record WaitStatus(bool IsDone, string Progress, string Late = "");
