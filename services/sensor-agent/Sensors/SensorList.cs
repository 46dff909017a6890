using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>The sensors that were found, simulated ones included. Thread-safe.</summary>
/// <param name="hardware">Null: no real sensors are read.</param>
/// <param name="simulation">Null: nothing is simulated.</param>
/// <param name="clock">Where time comes from.</param>
sealed class SensorList(HardwareSensors? hardware, SimulatedEnvironment? simulation, TimeProvider clock)
{
    public IReadOnlyList<Sensor> List() =>
        [
            .. hardware?.Sensors.Where(sensor => sensor.Description.Length > 0).Select(Describe) ?? [],
            .. simulation?.Sensors.Select(Describe) ?? [],
        ];

    Sensor Describe(SensorStatus sensor) =>
        new()
        {
            Id = sensor.Id,
            Description = sensor.Description,
            Address = AddressOf(sensor.Id),
            Reads = (ulong)sensor.Reads,
            Errors = (ulong)sensor.Errors,
            Flagged = (ulong)sensor.Flagged,
            LastRead = sensor.Age is { } age ? Timestamp.FromDateTimeOffset(clock.GetUtcNow() - age) : null,
            Problem = sensor.Problem ?? "",
            HasSelfTest = sensor.HasSelfTest,
            Calibration = sensor.Calibration?.ToString() ?? "",
        };

    static Sensor Describe(SimulatedSensor sensor) =>
        new()
        {
            Id = sensor.Name,
            Description = "simulated: its values are made up",
            Address = SimulatedEnvironment.Origin,
            Errors = (ulong)sensor.Failures,
        };

    /// <summary>Ids are <c>kind@bus:address</c>, the bus <c>w1</c> or a number.</summary>
    static string AddressOf(string id)
    {
        var place = id[(id.IndexOf('@', StringComparison.Ordinal) + 1)..].Split(':', 2);
        return place switch
        {
            ["w1", var device] => $"1-Wire {device}",
            [var bus, var address] => string.Create(CultureInfo.InvariantCulture, $"i2c-{bus} 0x{address}"),
            _ => "",
        };
    }
}
