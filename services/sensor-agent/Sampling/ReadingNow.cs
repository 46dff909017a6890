using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Reads the sensors on request. It has its own sources, so that the sampler neither waits for it nor sees its processor times change.
/// Thread-safe.
/// </summary>
sealed class ReadingNow(AgentOptions options, Kernel kernel, IServiceProvider services, TimeProvider clock) : IDisposable
{
    readonly Lock gate = new();
    SystemMetrics? system;
    ThermalSources? sources;

    /// <exception cref="Grpc.Core.RpcException">FAILED_PRECONDITION if no sensors are read.</exception>
    public ThermalReading Take()
    {
        if (!options.IsSampled(ReadingKind.Thermal))
            throw ControlErrors.Precondition(
                "SENSORS",
                "SOURCE",
                "This agent replays recorded readings and reads no sensors; set SOURCE=auto, or watch the readings instead."
            );
        lock (gate)
        {
            var started = clock.GetTimestamp();
            var now = clock.GetUtcNow();
            var reading = new ThermalReading { ObservedAtUs = Instants.ToMicroseconds(now) };
            (sources ??= Open()).AddTo(reading, now);
            reading.DurationUs = (uint)Math.Clamp(clock.GetElapsedTime(started).TotalMicroseconds, 0, uint.MaxValue);
            return reading;
        }
    }

    public void Dispose() => system?.Dispose();

    ThermalSources Open()
    {
        system = new SystemMetrics("/proc", SystemMetrics.WithTemperatures(options.HostSys), options.DataDirectory, kernel, clock);
        var simulation = options.Simulate ? new SimulatedEnvironment(options.Seed, options.Sensors.StuckAfter) : null;
        return new ThermalSources(system, simulation, services.GetService<HardwareSensors>());
    }
}
