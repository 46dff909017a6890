namespace ThermalStreaming.Sensors;

/// <summary>
/// A driver's connection to its sensor: transfers with one address, waits, and errors with the sensor's name. One caller at a time, because
/// a command and its answer are two transfers.
/// </summary>
/// <param name="sensor">The sensor's name in errors.</param>
/// <param name="address">7-bit address.</param>
/// <param name="bus">Runs the transfers.</param>
/// <param name="clock">Where time comes from.</param>
public sealed class SensorLink(string sensor, int address, BusWorker bus, TimeProvider clock)
{
    /// <summary>The sensor's name in errors.</summary>
    public string Sensor { get; } = sensor;

    /// <summary>Where time comes from.</summary>
    public TimeProvider Clock { get; } = clock;

    /// <summary>Why its bus does not work now; null while it does.</summary>
    public string? BusProblem => bus.Problem;

    /// <summary>The current time of the monotonic clock.</summary>
    public long Now => Clock.GetTimestamp();

    /// <summary>Time since a timestamp of <see cref="Now"/>.</summary>
    public TimeSpan Since(long timestamp) => Clock.GetElapsedTime(timestamp);

    /// <summary>Waits at least this long.</summary>
    public async Task WaitAsync(double milliseconds, CancellationToken cancellationToken)
    {
        var began = Now;
        // Timers run on a clock that moves in steps of up to 10 ms, so they may fire early, and a sensor would then refuse to answer.
        while (milliseconds - Since(began).TotalMilliseconds is var left && left > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left)), Clock, cancellationToken);
    }

    /// <summary>Writes bytes.</summary>
    /// <returns>Null, or what went wrong.</returns>
    public async Task<SensorError?> WriteAsync(byte[] bytes, CancellationToken cancellationToken) =>
        ErrorOf(await bus.TransferAsync(address, bytes, 0, cancellationToken), "a write");

    /// <summary>Reads bytes.</summary>
    public async Task<Outcome<byte[]>> ReadAsync(int count, CancellationToken cancellationToken) =>
        Of(await bus.TransferAsync(address, [], count, cancellationToken), "a read");

    /// <summary>Writes, then reads with a repeated start: for registers, which need no time in between.</summary>
    public async Task<Outcome<byte[]>> WriteReadAsync(byte[] bytes, int count, CancellationToken cancellationToken) =>
        Of(await bus.TransferAsync(address, bytes, count, cancellationToken), "a register read");

    /// <summary>An error with the sensor's name.</summary>
    public SensorError Error(SensorErrorKind kind, string text) => new(Sensor, kind, text);

    Outcome<byte[]> Of(TransferResult result, string what) => ErrorOf(result, what) is { } error ? error : result.Bytes;

    SensorError? ErrorOf(TransferResult result, string what) =>
        result.Error is not { } kind ? null
        : kind == SensorErrorKind.Bus ? Error(kind, result.Text)
        : Error(kind, $"{what} failed: {result.Text}");
}
