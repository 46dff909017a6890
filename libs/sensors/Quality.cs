namespace ThermalStreaming.Sensors;

/// <summary>What is odd about a measurement. The measurement is passed on all the same.</summary>
[Flags]
public enum Quality
{
    None = 0,

    /// <summary>The sensor has repeated exactly the same raw values for longer than is natural.</summary>
    Stuck = 1,

    /// <summary>A value changed by more than air can change between two measurements.</summary>
    Jump = 2,
}
