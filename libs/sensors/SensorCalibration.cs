using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>What a sensor can be calibrated against.</summary>
/// <param name="Quantity">The quantity with its unit, for example <c>ppm CO2 of the air around it</c>.</param>
/// <param name="Least">The smallest reference, in that unit.</param>
/// <param name="Most">The largest one.</param>
public sealed record SensorCalibration(string Quantity, double Least, double Most)
{
    /// <summary>For people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Quantity}, {Least} to {Most}");
}
