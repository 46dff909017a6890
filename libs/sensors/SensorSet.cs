using System.Device.I2c;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Sensors;

/// <summary>
/// All sensors of the buses: looks for each at its address, keeps them measuring, and holds their newest values in memory. Reading values
/// never waits for a bus. Thread-safe, except for <see cref="RunAsync"/>, which is called once.
/// </summary>
public sealed class SensorSet : IDisposable
{
    /// <summary>Humidity changes slowly; older values say nothing about the present.</summary>
    static readonly TimeSpan MostAirAge = TimeSpan.FromMinutes(10);

    static readonly TimeSpan SearchInterval = TimeSpan.FromMinutes(1);

    readonly SensorOptions options;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly OneWireBus oneWire;
    readonly List<BusWorker> buses = [];
    readonly List<SensorRunner> runners = [];
    readonly SensorRunner[] scd4x,
        icp10125,
        sgp30,
        bme68x,
        air,
        barometers;

    /// <summary>The sensors of the 1-Wire bus, sorted by name. Grows as they are found.</summary>
    volatile SensorRunner[] thermometers = [];

    /// <param name="options">Where to look, and how to use the sensors.</param>
    /// <param name="open">Opens a bus by its number, for example <see cref="I2cBus.Create(int)"/>.</param>
    /// <param name="now">The present, for ages of data kept from one start to the next.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="logger">Receives each change once.</param>
    public SensorSet(SensorOptions options, Func<int, I2cBus> open, Func<Moment> now, TimeProvider clock, ILogger logger)
    {
        (this.options, this.clock, this.logger) = (options, clock, logger);
        oneWire = new OneWireBus(options.OneWireDirectory, clock);
        var baselines = new BaselineFile(options.Directory, logger);
        var warmth = options.Warmth;
        foreach (var number in options.Buses)
        {
            var bus = new BusWorker($"/dev/i2c-{number}", () => open(number), clock, logger);
            buses.Add(bus);
            Add("scd4x", Scd4x.Address, link => new Scd4x(link, options.Scd4x, Pressure));
            Add("icp10125", Icp10125.Address, link => new Icp10125(link, options.Icp));
            Add("sgp30", Sgp30.Address, link => new Sgp30(link, baselines, Air, now));
            Add("sht4x", Sht4x.Address, link => new Sht4x(link), warmth.Sht4x);
            Add("sht4x", Sht4x.OtherAddress, link => new Sht4x(link), warmth.Sht4x);
            // Chips of two families share two addresses; each driver accepts chips with its id.
            Add("bmx280", Bmx280.LowAddress, link => new Bmx280(link), warmth.Bmx280);
            Add("bmx280", Bmx280.HighAddress, link => new Bmx280(link), warmth.Bmx280);
            Add("bme68x", Bme68x.LowAddress, link => new Bme68x(link, options.Gas), warmth.Bme68x);
            Add("bme68x", Bme68x.HighAddress, link => new Bme68x(link, options.Gas), warmth.Bme68x);

            void Add(string kind, int address, Func<SensorLink, SensorDriver> create, double offset = 0) =>
                runners.Add(Runner(create(new SensorLink($"{kind}@{number}:{address:x2}", address, bus, clock)), offset));
        }
        scd4x = OfKind("scd4x@");
        icp10125 = OfKind("icp10125@");
        sgp30 = OfKind("sgp30@");
        bme68x = OfKind("bme68x@");
        var bmx280 = OfKind("bmx280@");
        air = [.. scd4x, .. OfKind("sht4x@"), .. bmx280, .. bme68x];
        barometers = [.. icp10125, .. bmx280, .. bme68x];

        SensorRunner[] OfKind(string prefix) => [.. runners.Where(runner => runner.Id.StartsWith(prefix, StringComparison.Ordinal))];
    }

    /// <summary>Every sensor to look for, found or not.</summary>
    public IReadOnlyList<SensorStatus> Sensors => [.. runners.Select(runner => runner.Status), .. thermometers.Select(one => one.Status)];

    /// <summary>Why buses do not work; empty if all do.</summary>
    public IReadOnlyList<string> BusProblems => [.. buses.Select(bus => bus.Problem).Append(oneWire.Problem).OfType<string>()];

    /// <summary>The newest values, from memory.</summary>
    public CurrentValues Current =>
        new()
        {
            // A thermometer on a cable may hang in a freezer: it never replaces a room sensor that fails for a minute.
            Temperature =
                First(air, one => one.TemperatureC) ?? (air.Any(one => one.WasFound) ? null : First(thermometers, one => one.TemperatureC)),
            Humidity = First(air, one => one.HumidityPercent),
            Co2 = First(scd4x, one => one.Co2Ppm),
            Pressure = First(barometers, one => one.PressurePa),
            Barometer = First(icp10125, one => one.TemperatureC),
            Gas = First(sgp30, one => one.TvocPpb),
            Resistance = First(bme68x, one => one.TemperatureC) is { GasResistanceOhm: not null } heated ? heated : null,
        };

    /// <summary>Whether Linux shows a thermometer on a 1-Wire bus.</summary>
    public static bool HasOneWire(SensorOptions options) =>
        new OneWireBus(options.OneWireDirectory, TimeProvider.System).Devices().Count > 0;

    /// <summary>Runs all sensors until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(runners.Select(runner => runner.RunAsync(cancellationToken)).Append(RunOneWireAsync(cancellationToken)));

    /// <inheritdoc cref="SensorRunner.SelfTestAsync"/>
    /// <param name="id">One of <see cref="Sensors"/>.</param>
    /// <param name="cancellationToken">Ends the wait; a test that has begun continues.</param>
    /// <exception cref="InvalidOperationException">There is no such sensor.</exception>
    public Task<Outcome<string>> SelfTestAsync(string id, CancellationToken cancellationToken) => Find(id).SelfTestAsync(cancellationToken);

    /// <inheritdoc cref="SensorRunner.CalibrateAsync"/>
    /// <param name="id">One of <see cref="Sensors"/> that has a calibration.</param>
    /// <param name="reference">The true value now, within its bounds.</param>
    /// <param name="cancellationToken">Ends the wait for the sensor.</param>
    /// <exception cref="InvalidOperationException">There is no such sensor.</exception>
    public Task<Outcome<double>> CalibrateAsync(string id, double reference, CancellationToken cancellationToken) =>
        Find(id).CalibrateAsync(reference, cancellationToken);

    SensorRunner Find(string id) => runners.Concat(thermometers).First(runner => runner.Id == id);

    /// <summary>Ends the threads of the buses. Does not wait for a hung transfer.</summary>
    public void Dispose()
    {
        foreach (var bus in buses)
            bus.Dispose();
        foreach (var runner in runners.Concat(thermometers))
            runner.Dispose();
    }

    /// <summary>Looks for thermometers at the start and every minute, and runs those it finds.</summary>
    async Task RunOneWireAsync(CancellationToken cancellationToken)
    {
        List<Task> running = [];
        HashSet<string> known = [];
        try
        {
            while (true)
            {
                foreach (var device in oneWire.Devices().Where(known.Add))
                {
                    var runner = Runner(new Ds18b20(oneWire, device, clock), options.Warmth.Ds18b20);
                    thermometers = [.. thermometers.Append(runner).OrderBy(one => one.Id, StringComparer.Ordinal)];
                    running.Add(runner.RunAsync(cancellationToken));
                }
                await Task.Delay(SearchInterval, clock, cancellationToken);
            }
        }
        finally
        {
            await Task.WhenAll(running);
        }
    }

    SensorRunner Runner(SensorDriver driver, double offset) =>
        new(driver, new QualityWatch(options.StuckAfter, clock), offset, clock, logger);

    static Measurement? First(ReadOnlySpan<SensorRunner> candidates, Func<Measurement, double?> value)
    {
        foreach (var candidate in candidates)
        {
            if (candidate.Current is { } current && value(current) is not null)
                return current;
        }
        return null;
    }

    double? Pressure() => First(barometers, one => one.PressurePa)?.PressurePa;

    (double Celsius, double Percent)? Air()
    {
        foreach (var runner in air)
        {
            if (runner.Current is { TemperatureC: { } celsius, HumidityPercent: { } percent })
                return (celsius, percent);
        }
        foreach (var runner in air)
        {
            if (runner.Within(MostAirAge) is { TemperatureC: { } celsius, HumidityPercent: { } percent })
                return (celsius, percent);
        }
        return null;
    }
}
