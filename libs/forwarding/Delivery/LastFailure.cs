namespace ThermalStreaming.Forwarding;

/// <summary>The last call to the destination that failed.</summary>
/// <param name="At">When.</param>
/// <param name="Needs">What it needed.</param>
/// <param name="Message">What happened, and for <see cref="SinkFailure.NeedsOperator"/> what to do.</param>
sealed record LastFailure(DateTimeOffset At, SinkFailure Needs, string Message);
