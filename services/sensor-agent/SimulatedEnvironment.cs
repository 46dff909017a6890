using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// What an SCD4x, an ICP-10125 and an SGP30 would deliver in an office: curves over the day, correlated noise, drift, and sensors that fail
/// for a while. The same seed and the same calls give the same values. Not thread-safe.
/// </summary>
sealed class SimulatedEnvironment
{
    readonly Noise temperatureNoise, temperatureDrift, humidityNoise, occupancy, co2Noise, weather, pressureNoise, vocNoise, vocEvents;
    readonly SimulatedSensor scd4x, icp10125, sgp30;
    TimeSpan elapsed;
    (double Temperature, double Humidity, double Co2) air;
    (double Pressure, double Temperature) barometer;
    (double EquivalentCo2, double Tvoc) gas;

    public SimulatedEnvironment(int seed)
    {
        var random = new Random(seed);
        temperatureNoise = new(random, deviation: 0.15, TimeSpan.FromMinutes(4));
        temperatureDrift = new(random, deviation: 0.8, TimeSpan.FromDays(3));
        humidityNoise = new(random, deviation: 0.9, TimeSpan.FromMinutes(6));
        occupancy = new(random, deviation: 0.25, TimeSpan.FromMinutes(40));
        co2Noise = new(random, deviation: 9, TimeSpan.FromSeconds(45));
        weather = new(random, deviation: 650, TimeSpan.FromHours(30));
        pressureNoise = new(random, deviation: 1.5, TimeSpan.FromSeconds(8));
        vocNoise = new(random, deviation: 6, TimeSpan.FromSeconds(30));
        vocEvents = new(random, deviation: 1, TimeSpan.FromMinutes(12));
        // Measurement intervals of the data sheets: SCD4x 5 s in periodic mode, SGP30 1 s; the ICP-10125 is asked once a second.
        scd4x = new("scd4x", random, TimeSpan.FromSeconds(5));
        icp10125 = new("icp10125", random, TimeSpan.FromSeconds(1));
        sgp30 = new("sgp30", random, TimeSpan.FromSeconds(1));
        Sensors = [scd4x, icp10125, sgp30];
    }

    public IReadOnlyList<SimulatedSensor> Sensors { get; }

    /// <summary>Fills in what the sensors deliver; what a failed one does not deliver stays absent.</summary>
    /// <param name="reading">Gets the values.</param>
    /// <param name="now">The wall clock, for the time of day only.</param>
    /// <param name="sincePrevious">Monotonic time since the previous call.</param>
    public void AddTo(ThermalReading reading, DateTimeOffset now, TimeSpan sincePrevious)
    {
        elapsed += sincePrevious;
        var hour = now.UtcDateTime.TimeOfDay.TotalHours;
        if (scd4x.Measure(elapsed) is { } airSpan)
            air = Air(hour, airSpan);
        if (icp10125.Measure(elapsed) is { } barometerSpan)
            barometer = Barometer(hour, barometerSpan);
        if (sgp30.Measure(elapsed) is { } gasSpan)
            gas = Gas(hour, gasSpan);

        if (scd4x.Delivers)
            (reading.TemperatureC, reading.HumidityPercent, reading.Co2Ppm) = air;
        if (icp10125.Delivers)
            (reading.PressurePa, reading.IcpTemperatureF) = barometer;
        if (sgp30.Delivers)
            (reading.EquivalentCo2Ppm, reading.TvocPpb) = gas;
    }

    (double, double, double) Air(double hour, TimeSpan span)
    {
        var temperature = RoomTemperature(hour, span);
        var humidity = 46 - 1.7 * (temperature - 22) + humidityNoise.Next(span);
        var people = Math.Clamp(WorkingHours(hour) * (1 + occupancy.Next(span)), 0, 2);
        var co2 = 425 + 520 * people + co2Noise.Next(span);
        return (Clamp(temperature, -10, 60, 4), Clamp(humidity, 0, 100, 2), Clamp(co2, 390, 40_000, 0));
    }

    (double, double) Barometer(double hour, TimeSpan span)
    {
        // The air's tide has two maxima a day, near 10 and 22 h.
        var pressure = 101_325 + 60 * Math.Cos((hour - 10) / 12 * 2 * Math.PI) + weather.Next(span) + pressureNoise.Next(span);
        // It sits next to the processor and reads a little high.
        var celsius = RoomTemperature(hour, TimeSpan.Zero) + 0.9 + pressureNoise.Value * 0.02;
        return (Clamp(pressure, 30_000, 110_000, 2), Clamp(celsius * 9 / 5 + 32, -40, 185, 2));
    }

    (double, double) Gas(double hour, TimeSpan span)
    {
        // Now and then someone cleans or cooks: only the far side of the slow process shows.
        var strong = Math.Max(0, vocEvents.Next(span) - 1.4) * 400;
        var tvoc = Math.Max(0, 20 + 70 * WorkingHours(hour) + vocNoise.Next(span) + strong);
        var equivalent = 400 + tvoc * 3.1;
        return (Clamp(equivalent, 400, 60_000, 0), Clamp(tvoc, 0, 60_000, 0));
    }

    double RoomTemperature(double hour, TimeSpan span)
        => 22 + 2.2 * Math.Cos((hour - 15) / 24 * 2 * Math.PI) + temperatureDrift.Next(span) + temperatureNoise.Next(span);

    // 0 at night, 1 at noon, with soft shoulders near 8 and 18 h.
    static double WorkingHours(double hour) => 1 / (1 + Math.Exp(-(hour - 8) * 1.6)) * (1 / (1 + Math.Exp((hour - 18) * 1.6)));

    static double Clamp(double value, double min, double max, int decimals) => Math.Round(Math.Clamp(value, min, max), decimals);
}
