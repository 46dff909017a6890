using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The validation rules that readings must keep to be stored. A reading is judged once, when it arrives: readings in a journal are
/// delivered even if the rules have changed since. Immutable.
/// </summary>
/// <param name="Rules">The rules.</param>
/// <param name="Keeps">Whether a reading that breaks a rejecting rule becomes a dead letter; otherwise it is left out.</param>
/// <param name="Count">Called with the name of each rule that a reading broke, from every slot's thread.</param>
public sealed record IntakeRules(ValidationRules Rules, bool Keeps, Action<string> Count)
{
    /// <summary>Called with how many readings of a message were left out, from every slot's thread.</summary>
    public Action<int> Dropped { get; init; } = _ => { };
}
