namespace ThermalStreaming.Console;

/// <summary>The newest reading of an inverter.</summary>
/// <param name="Id">Its name within the fleet.</param>
/// <param name="At">When it was read; null: when it arrived.</param>
/// <param name="PowerW">AC output, W; null: not delivered.</param>
/// <param name="EnergyKwh">Its own counter, kWh.</param>
/// <param name="TemperatureC">Temperature of its heat sink, °C.</param>
/// <param name="Fault">The fault that it reports; empty: none.</param>
sealed record Inverter(string Id, DateTimeOffset? At, double? PowerW, double? EnergyKwh, double? TemperatureC, string Fault);
