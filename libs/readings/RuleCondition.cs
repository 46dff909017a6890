namespace ThermalStreaming.Readings;

/// <summary>What a case of a rule asks of another value.</summary>
/// <param name="Metric">The key of the row.</param>
/// <param name="Test">What its value must pass.</param>
sealed record RuleCondition(string Metric, RuleTest Test);
