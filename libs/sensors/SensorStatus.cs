namespace ThermalStreaming.Sensors;

/// <summary>A sensor at this moment.</summary>
/// <param name="Id">Kind, bus and address, for example <c>scd4x@1:62</c>.</param>
/// <param name="State">Its state.</param>
/// <param name="Description">Type, serial number, mode; "" until it is found.</param>
/// <param name="Problem">Why it does not deliver; null if it does.</param>
/// <param name="Reads">Measurements since the start.</param>
/// <param name="Errors">Measurements and starts that failed; 0 for an absent sensor.</param>
/// <param name="Flagged">Measurements with a quality flag.</param>
/// <param name="Newest">The last measurement, whatever its age.</param>
/// <param name="Age">Age of the last measurement.</param>
public sealed record SensorStatus(
    string Id,
    SensorState State,
    string Description,
    string? Problem,
    long Reads,
    long Errors,
    long Flagged,
    Measurement? Newest,
    TimeSpan? Age
)
{
    /// <summary>Measurements with the flag <see cref="Quality.Stuck"/>.</summary>
    public long Stuck { get; init; }

    /// <summary>Measurements with the flag <see cref="Quality.Jump"/>.</summary>
    public long Jumps { get; init; }

    /// <summary>Whether it can test itself.</summary>
    public bool HasSelfTest { get; init; }

    /// <summary>What it can be calibrated against; null if nothing.</summary>
    public SensorCalibration? Calibration { get; init; }

    /// <summary>The kind alone, for example <c>scd4x</c>.</summary>
    public string Kind => Id[..Id.IndexOf('@', StringComparison.Ordinal)];

    /// <summary>The last measurement if it counts as current, else null.</summary>
    public Measurement? Current => Age <= Newest?.MaxAge ? Newest : null;
}
