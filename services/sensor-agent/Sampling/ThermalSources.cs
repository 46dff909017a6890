using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Where the values of a thermal reading come from: the machine, and a simulated environment or real sensors. Not thread-safe.
/// </summary>
/// <param name="system">The machine's own figures.</param>
/// <param name="simulation">Null: nothing is simulated.</param>
/// <param name="hardware">Null: no real sensors are read.</param>
sealed partial class ThermalSources(SystemMetrics system, SimulatedEnvironment? simulation, HardwareSensors? hardware)
{
    /// <summary>Null: nothing is simulated.</summary>
    public SimulatedEnvironment? Simulation { get; } = simulation;

    /// <summary>Fills in the current values without waiting for a device.</summary>
    /// <param name="reading">Receives the values.</param>
    /// <param name="now">The wall clock.</param>
    public void AddTo(ThermalReading reading, DateTimeOffset now)
    {
        Simulation?.AddTo(reading, now);
        hardware?.AddTo(reading);
        system.AddTo(reading);
    }

    [LoggerMessage(
        EventId = 26,
        Level = LogLevel.Information,
        Message = "Environmental values are made up (SOURCE=simulate, SEED {Seed}); rows say so in RAW_DATA:sensors"
    )]
    public static partial void LogSimulates(ILogger logger, int seed);
}
