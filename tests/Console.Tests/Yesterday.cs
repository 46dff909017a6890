using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Control;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Console.Tests;

/// <summary>Makes the files of a console that has run for a day.</summary>
static class Yesterday
{
    public static void Write(string directory)
    {
        var now = TimeProvider.System.GetUtcNow();
        var devices = new DeviceBook(TimeProvider.System);
        List<Observation> observations = [];
        for (var at = now.AddHours(-23.5); at < now.AddMinutes(-1); at += TimeSpan.FromSeconds(20))
        {
            var reading = Fleet.Reading(0, at);
            observations.AddRange([
                new Observation(at, Metric.Temperature, reading.TemperatureC),
                new Observation(at, Metric.Humidity, reading.HumidityPercent),
                new Observation(at, Metric.Co2, reading.Co2Ppm),
                new Observation(at, Metric.Pressure, reading.PressurePa / 100),
                new Observation(at, Metric.Tvoc, reading.TvocPpb),
                new Observation(at, Metric.Processor, reading.CpuTemperatureC),
                new Observation(at, Metric.Power, 12_000 * Math.Max(0, Math.Sin((at.TimeOfDay.TotalHours - 6) / 12 * Math.PI))),
            ]);
        }
        devices.Hear("pi", new Message(observations.Count, observations, [], "", false));
        var files = Files(directory, devices);
        for (var at = now.AddHours(-23.5); at <= now; at = at.AddHours(1))
            files.Write(at);
        files.Write(now);
    }

    /// <summary>The files of a directory.</summary>
    internal static HistoryFiles Files(string directory, DeviceBook devices, TimeProvider? clock = null) =>
        new(
            new ConsoleOptions
            {
                Mqtt = new MqttOptions(),
                PagePort = 0,
                Hosts = [],
                Targets = [],
                Calls = new ControlOptions(),
                DataDirectory = directory,
                HistoryInterval = TimeSpan.FromMinutes(10),
            },
            devices,
            clock ?? TimeProvider.System,
            NullLogger<HistoryFiles>.Instance
        );
}
