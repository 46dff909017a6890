namespace ThermalStreaming.Console;

/// <summary>Something that a person should know.</summary>
/// <param name="Key">The same as long as it is the same problem.</param>
/// <param name="IsUrgent">Readings wait or are at risk; otherwise it is a remark.</param>
/// <param name="Where">Which part of the pipeline.</param>
/// <param name="What">What is wrong, a sentence.</param>
/// <param name="Fix">What to do; empty: nothing, or the sentence says it.</param>
/// <param name="Since">Since when, where that is known.</param>
sealed record Finding(string Key, bool IsUrgent, string Where, string What, string Fix, DateTimeOffset? Since = null);
