using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Where this machine can have real sensors while the environment is simulated, and what to write into .env to read them. Looks only at
/// names: scanning a bus would disturb other programs' sensors.
/// </summary>
static class SensorOffer
{
    const string OneWireDirectory = "/sys/bus/w1/devices";

    /// <summary>Pins 3 and 5 of a Pi.</summary>
    const int UsualBus = 1;

    /// <summary>Whether the settings ask for simulated or recorded values; the word for it, or null.</summary>
    public static string? Replaced(ComposeProject project)
    {
        var source = project.Value("services", "sensor-agent", "environment", "SOURCE") ?? "simulate";
        return source.ToUpperInvariant() switch
        {
            "SIMULATE" => "simulated",
            "REPLAY" => "replayed",
            _ => null,
        };
    }

    /// <summary>The I²C buses of the machine, that of the Pi's header first.</summary>
    /// <param name="devices">The machine's /dev.</param>
    public static IReadOnlyList<(int Number, string Path)> Buses(string devices) =>
        !Directory.Exists(devices)
            ? []
            :
            [
                .. Directory
                    .EnumerateFileSystemEntries(devices, "i2c-*")
                    .Select(path =>
                        (
                            Number: int.TryParse(
                                Path.GetFileName(path).AsSpan("i2c-".Length),
                                NumberStyles.None,
                                CultureInfo.InvariantCulture,
                                out var number
                            )
                                ? number
                                : -1,
                            Path: path
                        )
                    )
                    .Where(bus => bus.Number >= 0)
                    .OrderBy(bus => bus.Number != UsualBus)
                    .ThenBy(bus => bus.Number),
            ];

    /// <summary>What to write into .env; null if real sensors are read already, or there is no bus.</summary>
    /// <param name="project">The settings.</param>
    /// <param name="devices">The machine's /dev.</param>
    /// <param name="oneWire">The kernel's directory of 1-Wire thermometers.</param>
    public static string? For(ComposeProject project, string devices, string oneWire = OneWireDirectory)
    {
        if (!project.Has("sensor-agent") || Replaced(project) is null)
            return null;
        var thermometers = Directory.Exists(oneWire) ? Directory.EnumerateFileSystemEntries(oneWire, "28-*").Count() : 0;
        var found = thermometers == 0 ? "" : $"{thermometers} DS18B20";
        if (Buses(devices) is not [var bus, ..])
            return thermometers == 0 ? null : $"{found}: SOURCE=auto and I2C_BUSES=none in .env, then ./up --no-build";
        var files = project.HasStandIns ? "compose.yaml:compose.override.yaml" : "compose.yaml";
        var other = bus.Number == UsualBus ? "" : $", I2C_DEVICE=/dev/i2c-{bus.Number}, I2C_BUSES={bus.Number}";
        return $"/dev/i2c-{bus.Number}{(thermometers == 0 ? "" : $" and {found}")}: COMPOSE_FILE={files}:compose.hardware.yaml, "
            + $"I2C_GROUP={SystemCalls.GroupOf(bus.Path)}{other} in .env, then ./up --no-build (docs/hardware.md)";
    }
}
