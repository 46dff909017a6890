namespace ThermalStreaming.Console;

/// <summary>Something that a person should know.</summary>
/// <param name="Key">Stays the same as long as the problem is the same.</param>
/// <param name="IsUrgent">Whether readings wait or are at risk; otherwise it is a remark.</param>
/// <param name="Where">The affected part of the pipeline.</param>
/// <param name="What">What is wrong, a sentence.</param>
/// <param name="Fix">What to do; empty if there is nothing to do, or the sentence says it.</param>
/// <param name="Since">When it began, if known.</param>
sealed record Finding(string Key, bool IsUrgent, string Where, string What, string Fix, DateTimeOffset? Since = null);
