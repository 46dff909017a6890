using Google.Protobuf;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>Devices that publish readings once a second, until the end of the test.</summary>
sealed class Fleet : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly Task running;
    readonly int brokerPort;
    readonly int devices;
    readonly int inverters;
    int silent;
    ulong sequence;

    public Fleet(int brokerPort, int devices, int inverters)
    {
        (this.brokerPort, this.devices, this.inverters) = (brokerPort, devices, inverters);
        running = Task.Run(RunAsync);
    }

    /// <summary>How many devices publish nothing any more: the last ones.</summary>
    public void Silence(int number) => silent = number;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }

    /// <summary>Name of a device; the first is the agent's.</summary>
    public static string NameOf(int device) => device == 0 ? "pi" : $"greenhouse-{device}";

    /// <summary>A reading of a device at a time.</summary>
    public static ThermalReading Reading(int device, DateTimeOffset at)
    {
        var phase = at.ToUnixTimeMilliseconds() / 86_400_000.0 * 2 * Math.PI + device;
        var ripple = Math.Sin(at.ToUnixTimeMilliseconds() / 23_000.0 + device);
        return new ThermalReading
        {
            ObservedAtUs = (at - DateTimeOffset.UnixEpoch).Ticks / 10,
            TemperatureC = 21 + 3 * Math.Sin(phase) + 0.3 * ripple,
            HumidityPercent = 48 - 6 * Math.Sin(phase) + ripple,
            Co2Ppm = 620 + 140 * Math.Sin(2 * phase) + 9 * ripple,
            PressurePa = 101_300 + 260 * Math.Cos(phase) + 12 * ripple,
            TvocPpb = 90 + 30 * Math.Cos(3 * phase) + 4 * ripple,
            CpuTemperatureC = 51 + 4 * Math.Sin(phase) + ripple,
        };
    }

    async Task RunAsync()
    {
        var client = await MqttNetClient.ConnectedAsync(brokerPort, "fleet");
        try
        {
            while (!stop.IsCancellationRequested)
            {
                sequence++;
                var now = TimeProvider.System.GetUtcNow();
                for (var device = 0; device < devices - silent; device++)
                    await PublishAsync(client, device, now);
                if (inverters > 0)
                    await PublishInvertersAsync(client, now);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop.Token);
            }
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            // A test kills the broker.
        }
        catch (OperationCanceledException)
        {
            // The end of the test.
        }
        await client.DisposeAsync();
    }

    async Task PublishAsync(MqttNetClient client, int device, DateTimeOffset now)
    {
        var reading = Reading(device, now);
        reading.Sequence = sequence;
        var batch = new ReadingBatch { BootId = new string('a', 32), Thermal = { reading } };
        await client.PublishAsync($"telemetry/v1/{NameOf(device)}/thermal", batch.ToByteArray(), "application/x-protobuf");
    }

    async Task PublishInvertersAsync(MqttNetClient client, DateTimeOffset now)
    {
        var batch = new ReadingBatch { BootId = new string('a', 32) };
        for (var i = 1; i <= inverters; i++)
        {
            batch.Inverters.Add(
                new InverterReading
                {
                    Sequence = sequence,
                    ObservedAtUs = (now - DateTimeOffset.UnixEpoch).Ticks / 10,
                    InverterId = $"Inverter_{i}",
                    PacW = 2000 + 100 * i,
                    EnergyOutputKwh = 12_000 + i,
                    TemperatureC = 40 + i,
                    FaultStatus = i == 3 ? FaultStatus.Overheat : FaultStatus.None,
                }
            );
        }
        await client.PublishAsync("telemetry/v1/pi/inverter", batch.ToByteArray(), "application/x-protobuf");
    }
}
