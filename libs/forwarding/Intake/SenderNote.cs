namespace ThermalStreaming.Forwarding;

/// <summary>What can be odd about a device.</summary>
enum SenderNote
{
    /// <summary>It dates readings before 2001.</summary>
    ClockNotSet,

    /// <summary>It gives new readings the numbers of stored ones: its counter was restarted but its boot id was not changed.</summary>
    CounterRestarted,

    /// <summary>It sends measurements under keys that the rows do not have.</summary>
    UnknownKeys,
}
