namespace ThermalStreaming.Readings;

/// <summary>A rule that a reading breaks.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Problem">In a few words, how.</param>
public sealed record BrokenRule(ValidationRule Rule, string Problem)
{
    /// <summary>For people and dead letters.</summary>
    public override string ToString() => $"{Rule.Name}: {Problem}";
}
