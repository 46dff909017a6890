namespace ThermalStreaming.Bench;

/// <summary>A number of like cells.</summary>
/// <param name="Cells">How many.</param>
/// <param name="Devices">Of each cell.</param>
/// <param name="Interval">Between the readings of a device.</param>
/// <param name="Slots">Slots of each cell, each with a channel.</param>
sealed record CellScenario(int Cells, int Devices, TimeSpan Interval, int Slots)
{
    public double ReadingsPerSecondOfSlot => Devices / Interval.TotalSeconds / Slots;
}
