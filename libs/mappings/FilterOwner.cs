namespace ThermalStreaming.Mappings;

/// <summary>
/// The mappings of one filter, and who may publish there. A topic belongs only to the first filter, in their order, that takes it, so it
/// has one meaning whoever publishes.
/// </summary>
/// <param name="Filter">The filter.</param>
/// <param name="Mappings">The names of the mappings.</param>
public sealed record FilterOwner(TopicFilter Filter, IReadOnlyList<string> Mappings)
{
    /// <summary>The rules in the order in which they are tried.</summary>
    internal IReadOnlyList<TopicRule> Rules { get; init; } = [];

    /// <summary>Whether its messages are known but left out: nobody needs to publish them.</summary>
    public bool IsLeftOut => Rules.All(rule => rule.Readings.Count == 0);

    /// <summary>Whether one user publishes for many devices.</summary>
    public bool IsGateway { get; init; }

    /// <summary>Where a user may publish as itself, or with a gateway's right; null if it may not.</summary>
    /// <param name="user">The user's name, which is the device's.</param>
    /// <param name="gateways">The mappings whose gateway it is.</param>
    public TopicFilter? For(string user, IReadOnlyCollection<string> gateways)
    {
        if (IsLeftOut)
            return null;
        if (IsGateway)
            return Mappings.Any(gateways.Contains) ? Filter : null;
        return Filter.With(Rules.First(rule => rule.Readings.Count > 0).Pattern.DeviceLevel, user);
    }
}
