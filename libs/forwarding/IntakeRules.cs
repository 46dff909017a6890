using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The validation rules that readings must keep to be stored. A reading is judged once, when it arrives: what is in a journal is delivered,
/// whatever the rules are by then. Immutable.
/// </summary>
/// <param name="Rules">The rules.</param>
/// <param name="Keeps">Whether a reading that breaks a rule which rejects becomes a dead letter; it is left out otherwise.</param>
/// <param name="Count">Hears the name of each rule that a reading broke. Called from every slot's thread.</param>
public sealed record IntakeRules(ValidationRules Rules, bool Keeps, Action<string> Count)
{
    /// <summary>Hears how many readings of a message were left out. Called from every slot's thread.</summary>
    public Action<int> Dropped { get; init; } = _ => { };
}
