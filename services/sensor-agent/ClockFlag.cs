using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>What <c>quality</c> says of the time of a reading.</summary>
static class ClockFlag
{
    /// <summary>The time is what the machine's unsynchronised clock said. True of a whole batch, which carries it once.</summary>
    public const string Unsynchronised = "clock:Unsynchronised";

    /// <summary>The time is up to a minute ahead, because the clock was set back.</summary>
    public const string Adjusting = "clock:Adjusting";

    /// <summary>Adds a flag to what a thermal reading says already. Null: none.</summary>
    public static void Add(ThermalReading reading, string? flag)
    {
        // An empty text is not the same bytes as none.
        if (flag is not null)
            reading.Quality = reading.Quality.Length > 0 ? $"{reading.Quality},{flag}" : flag;
    }

    /// <summary>Flags a reading of an inverter. Null: not.</summary>
    public static void Add(InverterReading reading, string? flag)
    {
        if (flag is not null)
            reading.Quality = flag;
    }
}
