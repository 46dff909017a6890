using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>The newest thermal reading, for those who show it. Thread-safe; the reading must not be changed.</summary>
sealed class LatestReading
{
    TakenReading? taken;

    /// <summary>Null before the first.</summary>
    public ThermalReading? Value => Taken?.Reading;

    /// <summary>The same with its time of day, which the reading itself has only once it was stored.</summary>
    public TakenReading? Taken
    {
        get => Volatile.Read(ref taken);
        set => Volatile.Write(ref taken, value);
    }
}
