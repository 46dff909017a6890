namespace ThermalStreaming.Sensors;

/// <summary>Why a sensor did not deliver. This is an ordinary outcome, hence a value and not an exception.</summary>
/// <param name="Sensor">The sensor, for example <c>scd4x@1:62</c>.</param>
/// <param name="Kind">What went wrong.</param>
/// <param name="Text">What happened, with cause or fix if known; completes "scd4x@1:62: …".</param>
public sealed record SensorError(string Sensor, SensorErrorKind Kind, string Text)
{
    public override string ToString() => $"{Sensor}: {Text}";
}
