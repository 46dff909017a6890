namespace ThermalStreaming.S3Forwarder;

/// <summary>What a person can do about a refusal.</summary>
/// <param name="Cause">Why the store refuses; empty if its own words say so.</param>
/// <param name="Fix">What to do.</param>
sealed record Advice(string Cause, string Fix);
