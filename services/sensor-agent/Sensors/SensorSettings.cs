using System.Globalization;
using ThermalStreaming.Hosting;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>Reads the settings of real sensors.</summary>
static class SensorSettings
{
    const int MostBus = 255;

    public static SensorOptions Load(Settings settings, string dataDirectory) =>
        new()
        {
            Buses = ReadBuses(settings),
            Directory = Path.Combine(dataDirectory, "sensors"),
            Warmth = new TemperatureOffsets
            {
                Sht4x = Offset(settings, "SHT4X_TEMPERATURE_OFFSET", "an SHT4x"),
                Bmx280 = Offset(settings, "BMX280_TEMPERATURE_OFFSET", "a BME280 or BMP280"),
                Bme68x = Offset(settings, "BME68X_TEMPERATURE_OFFSET", "a BME680 or BME688"),
                Ds18b20 = Offset(settings, "DS18B20_TEMPERATURE_OFFSET", "a DS18B20"),
            },
            Scd4x = new Scd4xOptions
            {
                Mode = settings.Choice(
                    "SCD4X_MODE",
                    Scd4xMode.Periodic,
                    "Periodic measures every 5 s, LowPower every 30 s, SingleShot (SCD41 and SCD43) when asked to."
                ),
                SingleShotInterval = settings.Duration(
                    "SCD4X_SINGLE_SHOT_INTERVAL",
                    TimeSpan.FromMinutes(1),
                    TimeSpan.FromSeconds(6),
                    TimeSpan.FromHours(1),
                    "Time between two single shots."
                ),
                TemperatureOffsetC = Number(
                    settings,
                    "SCD4X_TEMPERATURE_OFFSET",
                    0,
                    20,
                    "How much warmer the SCD4x is in its case than the air, °C. The chip keeps it. Not set: as the chip has it "
                        + "(4 at first)."
                ),
                AltitudeMetres = (int?)Number(
                    settings,
                    "SCD4X_ALTITUDE",
                    0,
                    3_000,
                    "Metres above the sea, for CO2 without a barometer. The chip keeps it. Not set: as the chip has it (0 at first)."
                ),
                SelfCalibration = ReadSelfCalibration(settings),
            },
            Icp = settings.Choice("ICP10125_MODE", IcpMode.LowNoise, "How an ICP-10125 measures: less noise takes longer."),
            Gas = settings.Choice(
                "BME68X_GAS",
                GasMode.Off,
                "How often a BME680 or BME688 heats its gas sensor, which warms the others: never, every 5 min, every 3 s."
            ),
            StuckAfter = settings.Duration(
                "SENSOR_STUCK_AFTER",
                TimeSpan.FromMinutes(10),
                TimeSpan.FromSeconds(30),
                TimeSpan.FromDays(1),
                "A sensor that repeats the very same raw values for this long is reported as stuck."
            ),
        };

    static double Offset(Settings settings, string key, string sensor) =>
        Number(
            settings,
            key,
            -20,
            20,
            $"How much warmer {sensor} is in its case than the air, °C. It is subtracted, and humidity follows. Not set: 0."
        ) ?? 0;

    // Read first, because reading a setting also documents it.
    static bool? ReadSelfCalibration(Settings settings)
    {
        var isOn = settings.Flag(
            "SCD4X_SELF_CALIBRATION",
            true,
            "Self-calibration of the SCD4x: needs fresh air once a week. false where the air never gets fresh. The chip keeps it. Not "
                + "set: as the chip has it (true at first)."
        );
        return settings.Has("SCD4X_SELF_CALIBRATION") ? isOn : null;
    }

    static int[] ReadBuses(Settings settings)
    {
        var text = settings.Text(
            "I2C_BUSES",
            "1",
            "Numbers of the I2C buses with sensors, comma-separated: 1 is /dev/i2c-1, pins 3 and 5 of a Pi; none: only 1-Wire."
        );
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase))
            return [];
        List<int> numbers = [];
        var isGood = true;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (
                int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number <= MostBus
                && !numbers.Contains(number)
            )
                numbers.Add(number);
            else
                isGood = false;
        }
        if (!isGood || numbers.Count == 0)
            settings.Problem($"I2C_BUSES is '{text}'; it must be different numbers, 0 to {MostBus}, for example 1 or 1,3; or none.");
        return [.. numbers];
    }

    static double? Number(Settings settings, string key, double min, double max, string description)
    {
        if (settings.OptionalText(key, description) is not { } text)
            return null;
        if (
            double.TryParse(
                text,
                NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out var number
            )
            && number >= min
            && number <= max
        )
            return number;
        settings.Problem(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{key} is '{text}'; it must be a number, {min} to {max}, with a point as decimal sign."
            )
        );
        return null;
    }
}
