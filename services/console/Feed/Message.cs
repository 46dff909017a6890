namespace ThermalStreaming.Console;

/// <summary>A message of readings, as far as the page shows it.</summary>
/// <param name="Readings">How many readings it holds.</param>
/// <param name="Observations">The values, in the order of the message.</param>
/// <param name="Inverters">The inverters, in the order of the message.</param>
/// <param name="Quality">What is odd about the newest reading; empty if nothing is.</param>
/// <param name="IsUnderVoltage">Whether the device's supply was too low.</param>
sealed record Message(
    int Readings,
    IReadOnlyList<Observation> Observations,
    IReadOnlyList<Inverter> Inverters,
    string Quality,
    bool IsUnderVoltage
);
