namespace ThermalStreaming.Sensors;

/// <summary>The outcome of one transfer.</summary>
/// <param name="Error">Null when the transfer succeeded.</param>
/// <param name="Text">On an error: what the system said.</param>
/// <param name="Bytes">What was read; empty for a write.</param>
public readonly record struct TransferResult(SensorErrorKind? Error, string Text, byte[] Bytes)
{
    /// <summary>Whether the device has taken and given every byte.</summary>
    public bool IsOk => Error is null;

    internal static TransferResult Ok(byte[] bytes) => new(null, "", bytes);

    internal static TransferResult Failed(SensorErrorKind kind, string text) => new(kind, text, []);
}
