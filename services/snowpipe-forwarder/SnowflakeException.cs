namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Carries a <see cref="SnowflakeError"/> out of <see cref="SnowpipeClient"/>.</summary>
sealed class SnowflakeException(SnowflakeError error, Exception? inner = null) : Exception(error.Describe(), inner)
{
    public SnowflakeError Error { get; } = error;
}
