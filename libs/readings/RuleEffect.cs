namespace ThermalStreaming.Readings;

/// <summary>What becomes of a reading that breaks a rule.</summary>
public enum RuleEffect
{
    /// <summary>It is invalid, and goes where the setting VALIDATION says.</summary>
    Reject,

    /// <summary>It is counted, and otherwise treated like a reading that keeps the rule.</summary>
    Count,
}
