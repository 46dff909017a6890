namespace ThermalStreaming.Sensors;

/// <summary>The outcome of one transfer.</summary>
/// <param name="Error">Null if the transfer succeeded.</param>
/// <param name="Text">On an error, the system's message.</param>
/// <param name="Bytes">The bytes read; empty for a write.</param>
public readonly record struct TransferResult(SensorErrorKind? Error, string Text, byte[] Bytes)
{
    /// <summary>Whether the device transferred every byte.</summary>
    public bool IsOk => Error is null;

    internal static TransferResult Ok(byte[] bytes) => new(null, "", bytes);

    internal static TransferResult Failed(SensorErrorKind kind, string text) => new(kind, text, []);
}
