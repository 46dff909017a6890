namespace ThermalStreaming.Readings;

/// <summary>What a <see cref="RuleValue"/> is.</summary>
enum RuleValueType
{
    /// <summary>The key is missing, or null.</summary>
    Missing,
    Number,
    Text,

    /// <summary>True, false, an array or an object.</summary>
    Other,
}
