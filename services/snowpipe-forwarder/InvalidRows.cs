namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What becomes of thermal readings that break a rule which rejects.</summary>
enum InvalidRows
{
    /// <summary>They are delivered, and their row says which rules they broke, under <c>broken_rules</c>.</summary>
    Flag,

    /// <summary>
    /// They become dead letters with their reasons when they arrive, and can be replayed when the rules have changed.
    /// </summary>
    Quarantine,

    /// <summary>They are counted when they arrive, and left out.</summary>
    Drop,
}
