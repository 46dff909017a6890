namespace ThermalStreaming.Sensors;

/// <summary>
/// One sensor. <see cref="SensorRunner"/> starts it, makes it measure at its interval, and restarts it after failures. Called by one caller
/// at a time.
/// </summary>
/// <param name="id">The sensor's name with its place, for example <c>scd4x@1:62</c>.</param>
abstract class SensorDriver(string id)
{
    /// <summary>The sensor's name with its place, for example <c>scd4x@1:62</c>.</summary>
    public string Id { get; } = id;

    /// <summary>Why its bus does not work now; null while it does. May be called from any thread.</summary>
    public abstract string? BusProblem { get; }

    /// <summary>Time between two calls of <see cref="MeasureAsync"/>, start to start.</summary>
    public abstract TimeSpan Interval { get; }

    /// <summary>Type, serial number and mode, known after a start.</summary>
    public string Description { get; protected set; } = "";

    /// <summary>Identifies and configures the sensor in whatever state it is, and starts measuring.</summary>
    /// <returns>Null, or what went wrong.</returns>
    public abstract Task<SensorError?> StartAsync(CancellationToken cancellationToken);

    /// <summary>Gets the next measurement.</summary>
    /// <returns>Null while there is none yet.</returns>
    public abstract Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken);

    /// <summary>Whether it can test itself.</summary>
    public virtual bool HasSelfTest => false;

    /// <summary>What it can be calibrated against; null if nothing.</summary>
    public virtual SensorCalibration? Calibration => null;

    /// <summary>Makes it test itself. It must be restarted afterwards.</summary>
    /// <returns>The result, or what is wrong with it.</returns>
    /// <exception cref="NotSupportedException">It has no self-test.</exception>
    public virtual Task<Outcome<string>> SelfTestAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Calibrates it. It must be restarted afterwards.</summary>
    /// <param name="reference">The true value now, within the bounds of <see cref="Calibration"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The change of its values.</returns>
    /// <exception cref="NotSupportedException">It cannot be calibrated.</exception>
    public virtual Task<Outcome<double>> CalibrateAsync(double reference, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Whether it should keep measuring after repeated errors of a kind, because a restart would not help.</summary>
    public virtual bool ContinuesAfter(SensorErrorKind kind) => false;
}
