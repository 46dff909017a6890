namespace ThermalStreaming.Console;

/// <summary>How everything stands at one moment.</summary>
/// <param name="Now">That moment.</param>
/// <param name="Age">How long the console has been running.</param>
/// <param name="IsBrokerConnected">The console hears the broker.</param>
/// <param name="BrokerSince">Since when that is so, or not.</param>
/// <param name="BrokerProblem">Why not; empty if it does.</param>
/// <param name="Services">The services that are looked for.</param>
/// <param name="Replicas">Their replicas.</param>
/// <param name="Devices">The devices, silent ones first.</param>
sealed record State(
    DateTimeOffset Now,
    TimeSpan Age,
    bool IsBrokerConnected,
    DateTimeOffset BrokerSince,
    string BrokerProblem,
    IReadOnlyList<string> Services,
    IReadOnlyList<(Replica Replica, Presence Presence)> Replicas,
    IReadOnlyList<DeviceView> Devices
);
