namespace ThermalStreaming.Console;

/// <summary>One minute of a metric.</summary>
/// <param name="Minute">Minutes since 1970.</param>
/// <param name="Least">The least value in it.</param>
/// <param name="Mean">The mean.</param>
/// <param name="Greatest">The greatest.</param>
readonly record struct MinuteValue(long Minute, float Least, float Mean, float Greatest);
