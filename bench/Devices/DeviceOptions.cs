namespace ThermalStreaming.Bench;

/// <summary>What the simulated devices are told at their start.</summary>
/// <param name="Port">The broker's, on 127.0.0.1.</param>
/// <param name="Devices">How many.</param>
/// <param name="Connections">Of all devices together; divides their number. Fewer than devices: each is a gateway for several.</param>
/// <param name="Interval">Between the readings of a device.</param>
/// <param name="Password">Of each.</param>
/// <param name="Seed">Of values and boot ids.</param>
sealed record DeviceOptions(int Port, int Devices, int Connections, TimeSpan Interval, string Password, int Seed);
