namespace ThermalStreaming.Readings;

/// <summary>What becomes of a reading that breaks a rule.</summary>
public enum RuleEffect
{
    /// <summary>It is invalid: VALIDATION, or THERMAL_VALIDATION for a thermal reading, says what becomes of it.</summary>
    Reject,

    /// <summary>It is counted, and otherwise treated like a reading that keeps the rule.</summary>
    Count,
}
