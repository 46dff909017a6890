using System.Device.I2c;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Sensors;

/// <summary>Forced recalibration of an SCD4x, from start to finish. Nobody else may use the bus meanwhile.</summary>
public static class Scd4xCalibration
{
    /// <summary>
    /// Makes the sensor measure air of known CO₂, with the pressure of a barometer if there is one, then recalibrates it. Does not
    /// recalibrate an SCD4x without a current value.
    /// </summary>
    /// <param name="options">
    /// The buses, of which the first with an SCD4x is used, and the mode in which the sensor will measure later.
    /// </param>
    /// <param name="open">Opens a bus.</param>
    /// <param name="targetPpm">CO₂ of the air, ppm, 400 to 2,000.</param>
    /// <param name="settle">How long to measure first, 3 minutes or more.</param>
    /// <param name="show">Receives each measurement.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="logger">Receives an entry when the bus fails.</param>
    /// <param name="cancellationToken">Ends it without a recalibration; a recalibration that has begun is completed.</param>
    /// <returns>The correction, ppm.</returns>
    public static async Task<Outcome<int>> RunAsync(
        SensorOptions options,
        Func<int, I2cBus> open,
        int targetPpm,
        TimeSpan settle,
        Action<Measurement> show,
        TimeProvider clock,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        List<(int Number, BusWorker Worker)> buses = [];
        try
        {
            foreach (var number in options.Buses)
                buses.Add((number, new BusWorker($"/dev/i2c-{number}", () => open(number), clock, logger)));
            SensorError? missing = null;
            foreach (var (number, worker) in buses)
            {
                double? pressure = null;
                var sensor = new Scd4x(Link("scd4x", Scd4x.Address, number, worker), options.Scd4x, () => pressure);
                if (await sensor.StartAsync(cancellationToken) is { } notStarted)
                {
                    missing ??= notStarted;
                    continue;
                }
                pressure = await PressureAsync();
                return await RecalibrateAsync(sensor);
            }
            return missing!;
        }
        finally
        {
            foreach (var (_, worker) in buses)
                worker.Dispose();
        }

        SensorLink Link(string kind, int address, int number, BusWorker worker) =>
            new($"{kind}@{number}:{address:x2}", address, worker, clock);

        async Task<double?> PressureAsync()
        {
            foreach (var (number, worker) in buses)
            {
                SensorDriver[] barometers =
                [
                    new Icp10125(Link("icp10125", Icp10125.Address, number, worker), options.Icp),
                    new Bmx280(Link("bmx280", Bmx280.LowAddress, number, worker)),
                    new Bmx280(Link("bmx280", Bmx280.HighAddress, number, worker)),
                    new Bme68x(Link("bme68x", Bme68x.LowAddress, number, worker), GasMode.Off),
                    new Bme68x(Link("bme68x", Bme68x.HighAddress, number, worker), GasMode.Off),
                ];
                foreach (var barometer in barometers)
                {
                    if (
                        await barometer.StartAsync(cancellationToken) is null
                        && (await barometer.MeasureAsync(cancellationToken)).Value?.PressurePa is { } pascal
                    )
                        return pascal;
                }
            }
            return null;
        }

        async Task<Outcome<int>> RecalibrateAsync(Scd4x sensor)
        {
            var began = clock.GetTimestamp();
            Measurement? last = null;
            while (clock.GetElapsedTime(began) < settle)
            {
                var outcome = await sensor.MeasureAsync(cancellationToken);
                if (outcome.Error is { Kind: SensorErrorKind.NoData or SensorErrorKind.Bus } lost)
                    return lost;
                if (outcome.Value is { } measurement)
                    show(last = measurement);
                await Task.Delay(sensor.Interval, clock, cancellationToken);
            }
            cancellationToken.ThrowIfCancellationRequested();
            if (last is null || clock.GetElapsedTime(last.Timestamp) > last.MaxAge)
                return new SensorError(
                    sensor.Id,
                    SensorErrorKind.Refused,
                    "it has no current value, so it was not recalibrated and nothing was changed; see sensors read for the cause"
                );
            // Not cancellable from here on: whoever cancels must know that nothing has changed.
            var result = await sensor.RecalibrateAsync(targetPpm, CancellationToken.None);
            var restarted = await sensor.StartAsync(CancellationToken.None);
            return result.Error is null && restarted is not null ? restarted : result;
        }
    }
}
