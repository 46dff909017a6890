using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>One value of a thermal reading as an entity of Home Assistant.</summary>
/// <param name="Key">Its name in the state's JSON and in its unique id. It must never change: the entity's history depends on it.</param>
/// <param name="Name">For people; Home Assistant puts the device's name before it.</param>
/// <param name="DeviceClass">
/// One of https://www.home-assistant.io/integrations/sensor/#device-class; for a state, one of
/// https://www.home-assistant.io/integrations/binary_sensor/#device-class; or null.
/// </param>
/// <param name="Unit">A unit that the device class allows; null: a number without a unit, or a state.</param>
/// <param name="Decimals">Decimals shown and sent.</param>
/// <param name="Value">The value in that unit; for a state 1 (on) or 0 (off); null if the reading does not have it.</param>
/// <param name="IsDiagnostic">Describes the machine rather than the room.</param>
/// <param name="IsState">Either on or off: a binary sensor.</param>
sealed record HomeAssistantEntity(
    string Key,
    string Name,
    string? DeviceClass,
    string? Unit,
    int Decimals,
    Func<ThermalReading, double?> Value,
    bool IsDiagnostic = false,
    bool IsState = false
)
{
    /// <summary>The values of a thermal reading. The bits of <c>throttled</c>, quality and sensors' names are only for queries.</summary>
    public static IReadOnlyList<HomeAssistantEntity> All { get; } =
    [
        new("temperature", "Temperature", "temperature", "°C", 2, r => r.HasTemperatureC ? r.TemperatureC : null),
        new("humidity", "Humidity", "humidity", "%", 1, r => r.HasHumidityPercent ? r.HumidityPercent : null),
        new("co2", "Carbon dioxide", "carbon_dioxide", "ppm", 0, r => r.HasCo2Ppm ? r.Co2Ppm : null),
        new("pressure", "Pressure", "atmospheric_pressure", "hPa", 2, r => r.HasPressurePa ? r.PressurePa / 100 : null),
        new(
            "temperature_icp",
            "Pressure sensor temperature",
            "temperature",
            "°F",
            1,
            r => r.HasIcpTemperatureF ? r.IcpTemperatureF : null,
            IsDiagnostic: true
        ),
        new(
            "equivalent_co2",
            "Equivalent carbon dioxide",
            "carbon_dioxide",
            "ppm",
            0,
            r => r.HasEquivalentCo2Ppm ? r.EquivalentCo2Ppm : null
        ),
        new("tvoc", "Volatile organic compounds", "volatile_organic_compounds_parts", "ppb", 0, r => r.HasTvocPpb ? r.TvocPpb : null),
        new("gas_resistance", "Gas resistance", null, "Ω", 0, r => r.HasGasResistanceOhm ? r.GasResistanceOhm : null),
        new(
            "cpu_temperature",
            "Processor temperature",
            "temperature",
            "°C",
            1,
            r => r.HasCpuTemperatureC ? r.CpuTemperatureC : null,
            IsDiagnostic: true
        ),
        new("cpu", "Processor use", null, "%", 1, r => r.HasCpuPercent ? r.CpuPercent : null, IsDiagnostic: true),
        new("memory", "Memory use", null, "%", 1, r => r.HasMemoryPercent ? r.MemoryPercent : null, IsDiagnostic: true),
        new("disk_free", "Free disk space", "data_size", "MB", 0, r => r.HasDiskFreeMb ? r.DiskFreeMb : null, IsDiagnostic: true),
        new("load", "Load", null, null, 2, r => r.HasLoadAverage ? r.LoadAverage : null, IsDiagnostic: true),
        new("uptime", "Uptime", "duration", "s", 0, r => r.HasUptimeS ? r.UptimeS : null, IsDiagnostic: true),
        new(
            "under_voltage",
            "Weak power supply",
            "problem",
            null,
            0,
            r => r.HasUnderVoltage ? (r.UnderVoltage ? 1 : 0) : null,
            IsDiagnostic: true,
            IsState: true
        ),
    ];
}
