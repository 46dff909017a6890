namespace ThermalStreaming.Forwarding;

/// <summary>
/// What could not be delivered and why, as size-capped NDJSON files under <c>dead-letters/</c> of the data directory; listed and replayed by the verb
/// <c>dead-letters</c>. Thread-safe.
/// </summary>
public sealed class DeadLetters
{
    /// <summary>Keeps readings that the destination refused. Returns when they are on disk.</summary>
    /// <param name="reason">Why, with the destination's own words.</param>
    /// <param name="readings">The readings, or those among which the refused ones are.</param>
    public void Add(string reason, IEnumerable<BatchReading> readings) => throw new NotImplementedException();
}
