using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Simulates an SCD4x, an ICP-10125 and an SGP30 in an office of four: a daily curve, people who come and go, weather, noise, drift, and
/// sensors that fail for a while. Every value is a function of the seed and the time (UTC), so neither a restart nor another sampling rate
/// changes it. Not thread-safe.
/// </summary>
sealed class SimulatedEnvironment
{
    /// <summary>CO₂ of fresh air in ppm, and what a person-hour adds in 100 m³.</summary>
    const double FreshCo2 = 421,
        Co2PerBreath = 185;

    /// <summary>Water in the air, g/m³, and what a person-hour adds.</summary>
    const double UsualWater = 8.0,
        WaterPerBreath = 0.28;

    const double DegreesPerWarmth = 0.16,
        TvocPerBreath = 26;

    readonly SimulatedRoom room;
    readonly Noise temperature,
        draught,
        water,
        weather,
        front,
        co2Drift,
        pressureDrift,
        gasDrift,
        gasNoise;
    readonly Draws temperatureNoise,
        humidityNoise,
        co2Noise,
        pressureNoise,
        warmthNoise;
    readonly SimulatedSensor scd4x,
        icp10125,
        sgp30;

    /// <param name="seed">The same seed gives the same values.</param>
    /// <param name="stuckAfter">How long a sensor may repeat a value before that is flagged.</param>
    public SimulatedEnvironment(int seed, TimeSpan stuckAfter)
    {
        var draws = new Draws(seed);
        room = new(draws.Of("room"));
        temperature = new(draws.Of("temperature"), 0.7, TimeSpan.FromDays(2));
        draught = new(draws.Of("draught"), 0.08, TimeSpan.FromMinutes(7));
        water = new(draws.Of("water"), 0.9, TimeSpan.FromHours(36));
        weather = new(draws.Of("weather"), 600, TimeSpan.FromHours(44));
        front = new(draws.Of("front"), 120, TimeSpan.FromHours(9));
        co2Drift = new(draws.Of("co2 drift"), 14, TimeSpan.FromDays(12));
        pressureDrift = new(draws.Of("pressure drift"), 12, TimeSpan.FromDays(20));
        gasDrift = new(draws.Of("gas drift"), 5, TimeSpan.FromDays(2));
        gasNoise = new(draws.Of("gas noise"), 4, TimeSpan.FromSeconds(25));
        temperatureNoise = draws.Of("temperature noise");
        humidityNoise = draws.Of("humidity noise");
        co2Noise = draws.Of("co2 noise");
        pressureNoise = draws.Of("pressure noise");
        warmthNoise = draws.Of("warmth noise");
        // Measurement intervals of the data sheets: SCD4x 5 s in periodic mode, SGP30 1 s; the ICP-10125 is asked once a second.
        scd4x = Sensor("scd4x", 5);
        icp10125 = Sensor("icp10125", 1);
        sgp30 = Sensor("sgp30", 1);
        Sensors = [scd4x, icp10125, sgp30];

        SimulatedSensor Sensor(string name, int seconds) =>
            new($"simulated-{name}", draws.Of(name), TimeSpan.FromSeconds(seconds), stuckAfter);
    }

    /// <summary>Origin of the values in readings.</summary>
    public const string Origin = "simulated";

    public IReadOnlyList<SimulatedSensor> Sensors { get; }

    /// <summary>Fills in the sensors' values; those of a failed sensor stay absent.</summary>
    /// <param name="reading">Receives the values.</param>
    /// <param name="now">The wall clock.</param>
    public void AddTo(ThermalReading reading, DateTimeOffset now)
    {
        var isDelivering = false;
        List<string> odd = [];
        if (Measured(scd4x) is { } air)
            (reading.TemperatureC, reading.HumidityPercent, reading.Co2Ppm) = Air(air);
        if (Measured(icp10125) is { } barometer)
            (reading.PressurePa, reading.IcpTemperatureF) = Barometer(barometer);
        if (Measured(sgp30) is { } gas)
            (reading.EquivalentCo2Ppm, reading.TvocPpb) = Gas(gas);
        // One word for all sensors: names would make a reading, and the daily writes to the storage, a quarter larger.
        if (isDelivering)
            reading.Sensors = Origin;
        if (odd.Count > 0)
            reading.Quality = string.Join(',', odd);

        long? Measured(SimulatedSensor sensor)
        {
            if (sensor.At(now.UtcTicks) is not { } measurement)
                return null;
            isDelivering = true;
            if (measurement.Quality != Quality.None)
                odd.Add($"{sensor.Name}:{measurement.Quality}");
            return measurement.Ticks;
        }
    }

    (double, double, double) Air(long ticks)
    {
        var (breath, _, _) = room.At(ticks);
        var celsius = RoomTemperature(ticks);
        // In warmer air, the same amount of water is a smaller share of what the air can hold.
        var grams = UsualWater + water.At(ticks) + WaterPerBreath * breath;
        var percent = 100 * grams / AbsoluteHumidity.Of(celsius, 100) + 0.15 * humidityNoise.Gaussian(ticks);
        var co2 = FreshCo2 + Co2PerBreath * breath + co2Drift.At(ticks) + 4 * co2Noise.Gaussian(ticks);
        return (
            Clamp(celsius + 0.02 * temperatureNoise.Gaussian(ticks), -10, 60, 4),
            Clamp(percent, 0, 100, 2),
            // The sensor calibrates itself to fresh air, and never shows less.
            Clamp(co2, 400, 40_000, 0)
        );
    }

    (double, double) Barometer(long ticks)
    {
        // The atmospheric tide has two maxima a day, near 10 and 22 h.
        var tide = 60 * Math.Cos((Hour(ticks) - 10) / 12 * 2 * Math.PI);
        var pressure = 101_325 + tide + weather.At(ticks) + front.At(ticks) + pressureDrift.At(ticks) + pressureNoise.Gaussian(ticks);
        // It sits next to the processor and reads a little high.
        var celsius = RoomTemperature(ticks) + 0.9 + 0.02 * warmthNoise.Gaussian(ticks);
        return (Clamp(pressure, 30_000, 110_000, 2), Clamp(celsius * 9 / 5 + 32, -40, 185, 2));
    }

    (double, double) Gas(long ticks)
    {
        var (breath, _, smell) = room.At(ticks);
        // Hydrogen and alcohols in the air come from people and cleaning.
        var tvoc = Clamp(14 + TvocPerBreath * breath + smell + gasDrift.At(ticks) + gasNoise.At(ticks), 0, 60_000, 0);
        return (Clamp(400 + 2.9 * tvoc, 400, 60_000, 0), tvoc);
    }

    double RoomTemperature(long ticks) =>
        20.9
        + 1.3 * Math.Cos((Hour(ticks) - 15.5) / 24 * 2 * Math.PI)
        + DegreesPerWarmth * room.At(ticks).Warmth
        + temperature.At(ticks)
        + draught.At(ticks);

    static double Hour(long ticks) => (double)(ticks % TimeSpan.TicksPerDay) / TimeSpan.TicksPerHour;

    static double Clamp(double value, double min, double max, int decimals) => Math.Round(Math.Clamp(value, min, max), decimals);
}
