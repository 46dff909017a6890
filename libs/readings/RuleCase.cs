namespace ThermalStreaming.Readings;

/// <summary>One case of a rule: when all conditions hold, the value must pass the test.</summary>
/// <param name="Conditions">None: always.</param>
/// <param name="Test">What is then asked of the rule's own value.</param>
sealed record RuleCase(IReadOnlyList<RuleCondition> Conditions, RuleTest Test);
