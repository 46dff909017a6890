namespace ThermalStreaming.Snowflake;

/// <summary>Carries a <see cref="SnowflakeError"/> out of a client.</summary>
sealed class SnowflakeException(SnowflakeError error, Exception? inner = null) : Exception(error.Describe(), inner)
{
    public SnowflakeError Error { get; } = error;
}
