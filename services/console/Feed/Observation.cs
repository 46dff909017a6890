namespace ThermalStreaming.Console;

/// <summary>What a message says at one instant.</summary>
/// <param name="At">When it was read; null: when it came.</param>
/// <param name="Metric">Number in <see cref="Metric.All"/>.</param>
/// <param name="Value">In the page's unit.</param>
readonly record struct Observation(DateTimeOffset? At, int Metric, double Value);
