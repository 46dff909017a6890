namespace ThermalStreaming.Console;

/// <summary>A device as the page lists it.</summary>
/// <param name="Id">Its name.</param>
/// <param name="LastHeard">When its last reading arrived.</param>
/// <param name="IsSilent">Whether that is longer ago than usual.</param>
/// <param name="IsUnderVoltage">Whether its supply is too low.</param>
/// <param name="Patience">How long it may be silent.</param>
/// <param name="Version">Changes with each message.</param>
/// <param name="IsCharted">Whether its values arrive over the broker in a form that the page can draw.</param>
/// <param name="Quality">What is odd about its values; empty if nothing is.</param>
/// <param name="Latest">Its newest values, by number of metric.</param>
sealed record DeviceView(
    string Id,
    DateTimeOffset? LastHeard,
    bool IsSilent,
    bool IsUnderVoltage,
    TimeSpan Patience,
    long Version,
    bool IsCharted,
    string Quality,
    IReadOnlyList<double?> Latest
);
