namespace ThermalStreaming.Readings;

/// <summary>A condition of a rule's case on another value.</summary>
/// <param name="Metric">The key of the row.</param>
/// <param name="Test">What its value must pass.</param>
sealed record RuleCondition(string Metric, RuleTest Test);
