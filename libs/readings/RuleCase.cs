namespace ThermalStreaming.Readings;

/// <summary>One case of a rule: when all conditions hold, the value must pass the test.</summary>
/// <param name="Conditions">None: always.</param>
/// <param name="Test">The test that the rule's own value must then pass.</param>
sealed record RuleCase(IReadOnlyList<RuleCondition> Conditions, RuleTest Test);
