namespace ThermalStreaming.Console;

/// <summary>The state of everything at one moment.</summary>
/// <param name="Now">That moment.</param>
/// <param name="Age">How long the console has been running.</param>
/// <param name="IsBrokerConnected">Whether the console is connected to the broker.</param>
/// <param name="BrokerSince">When that last changed.</param>
/// <param name="BrokerProblem">Why it is not connected; empty if it is.</param>
/// <param name="Services">The services to look for.</param>
/// <param name="Replicas">Their replicas.</param>
/// <param name="Devices">The devices, silent ones first.</param>
sealed record State(
    DateTimeOffset Now,
    TimeSpan Age,
    bool IsBrokerConnected,
    DateTimeOffset BrokerSince,
    string BrokerProblem,
    IReadOnlyList<string> Services,
    IReadOnlyList<(Replica Replica, ReplicaPresence Presence)> Replicas,
    IReadOnlyList<DeviceView> Devices
);
