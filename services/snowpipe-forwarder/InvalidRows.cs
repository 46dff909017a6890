namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>How to treat thermal readings that break a rejecting rule.</summary>
enum InvalidRows
{
    /// <summary>Deliver them, with the broken rules in their row under <c>broken_rules</c>.</summary>
    Flag,

    /// <summary>Make them dead letters with their reasons when they arrive. They can be replayed after the rules have changed.</summary>
    Quarantine,

    /// <summary>Count them when they arrive, and leave them out.</summary>
    Drop,
}
