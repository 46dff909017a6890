using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>A finding with its time.</summary>
/// <param name="Found">The latest version of the finding.</param>
/// <param name="Since">When it began.</param>
/// <param name="Until">When it ended; null: not yet.</param>
sealed record KeptFinding(Finding Found, DateTimeOffset Since, DateTimeOffset? Until);
