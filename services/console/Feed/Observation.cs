namespace ThermalStreaming.Console;

/// <summary>One value of a message.</summary>
/// <param name="At">When it was read; null: when it arrived.</param>
/// <param name="Metric">Number in <see cref="Metric.All"/>.</param>
/// <param name="Value">In the page's unit.</param>
readonly record struct Observation(DateTimeOffset? At, int Metric, double Value);
