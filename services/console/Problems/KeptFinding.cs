namespace ThermalStreaming.Console;

/// <summary>A finding with its time.</summary>
/// <param name="Found">As it was found last.</param>
/// <param name="Since">When it began.</param>
/// <param name="Until">When it ended; null: it lasts.</param>
sealed record KeptFinding(Finding Found, DateTimeOffset Since, DateTimeOffset? Until);
