using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>A thermal reading that was taken.</summary>
/// <param name="Reading">As it is stored.</param>
/// <param name="At">When it was taken, as far as the machine's clock knew.</param>
sealed record TakenReading(ThermalReading Reading, DateTimeOffset At)
{
    /// <summary>A copy with that time.</summary>
    public ThermalReading Dated()
    {
        var copy = Reading.Clone();
        copy.ObservedAtUs = Instants.ToMicroseconds(At);
        return copy;
    }
}
