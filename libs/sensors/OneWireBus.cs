using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// The 1-Wire thermometers that Linux has found (<c>w1-gpio</c>, <c>w1-therm</c>), as files. A read blocks its caller for a conversion of
/// 750 ms, so each read runs on its own thread, one at a time. Thread-safe.
/// </summary>
/// <param name="directory">Linux's directory of them: <c>/sys/bus/w1/devices</c>.</param>
/// <param name="clock">Where time comes from.</param>
sealed class OneWireBus(string directory, TimeProvider clock)
{
    /// <summary>Family 28: the DS18B20.</summary>
    const string Pattern = "28-*";

    /// <summary>Other thermometers of the bus may convert first.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    const long Idle = -1;

    readonly Lock gate = new();
    Task last = Task.CompletedTask;
    long runningSince = Idle;

    /// <summary>Why the bus does not work; null while it does.</summary>
    public string? Problem =>
        Interlocked.Read(ref runningSince) is var since
        && since != Idle
        && clock.GetElapsedTime(since) is var elapsed
        && elapsed >= Patience
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the 1-Wire bus has not finished a read for {elapsed.TotalSeconds:0} s, so its driver hangs; see dmesg, then restart "
                    + $"the machine"
            )
            : null;

    /// <summary>The names of the present thermometers, in order; empty without such a bus.</summary>
    public IReadOnlyList<string> Devices()
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(directory, Pattern).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Makes a thermometer measure, and reads it.</summary>
    /// <param name="sensor">The sensor's name in errors.</param>
    /// <param name="device">Its name on the bus, for example <c>28-0316a2794aff</c>.</param>
    /// <param name="cancellationToken">Ends the wait; a read that has begun continues without anybody waiting for it.</param>
    /// <returns>The text of its file.</returns>
    public Task<Outcome<string>> ReadAsync(string sensor, string device, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            var read = last.ContinueWith(
                _ => Read(sensor, Path.Combine(directory, device, "w1_slave")),
                CancellationToken.None,
                TaskContinuationOptions.LongRunning,
                TaskScheduler.Default
            );
            last = read;
            return read.WaitAsync(cancellationToken);
        }
    }

    Outcome<string> Read(string sensor, string path)
    {
        Interlocked.Exchange(ref runningSince, clock.GetTimestamp());
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SensorError(
                sensor,
                SensorErrorKind.NotAcknowledged,
                "it is gone from the 1-Wire bus; check its wires and the 4.7 kΩ resistor"
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new SensorError(sensor, SensorErrorKind.Transfer, $"its file cannot be read ({e.Message}); check its wires");
        }
        finally
        {
            Interlocked.Exchange(ref runningSince, Idle);
        }
    }
}
