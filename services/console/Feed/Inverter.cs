namespace ThermalStreaming.Console;

/// <summary>What an inverter said last.</summary>
/// <param name="Id">Its name within the fleet.</param>
/// <param name="At">When it was read; null: when it came.</param>
/// <param name="PowerW">AC output, W; null: not delivered.</param>
/// <param name="EnergyKwh">What its own counter says, kWh.</param>
/// <param name="TemperatureC">Of its heat sink, °C.</param>
/// <param name="Fault">What it reports of itself; empty: no fault.</param>
sealed record Inverter(string Id, DateTimeOffset? At, double? PowerW, double? EnergyKwh, double? TemperatureC, string Fault);
