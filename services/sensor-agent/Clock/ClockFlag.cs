using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>What <c>quality</c> says about the time of a reading.</summary>
static class ClockFlag
{
    /// <summary>The time is from the machine's unsynchronised clock. Applies to a whole batch, which carries the flag once.</summary>
    public const string Unsynchronised = "clock:Unsynchronised";

    /// <summary>The time is up to a minute ahead, because the clock was set back.</summary>
    public const string Adjusting = "clock:Adjusting";

    /// <summary>Adds a flag to those of a thermal reading. Null adds nothing.</summary>
    public static void Add(ThermalReading reading, string? flag)
    {
        // An empty text and an absent one differ in bytes.
        if (flag is not null)
            reading.Quality = reading.Quality.Length > 0 ? $"{reading.Quality},{flag}" : flag;
    }

    /// <summary>Flags a reading of an inverter. Null adds nothing.</summary>
    public static void Add(InverterReading reading, string? flag)
    {
        if (flag is not null)
            reading.Quality = flag;
    }
}
