namespace ThermalStreaming.SnowflakeEmulator.Tests.Sdk;

/// <summary>A theory that needs Snowflake's SDK; it is skipped, by name, where there is none.</summary>
sealed class SdkTheoryAttribute : TheoryAttribute
{
    public SdkTheoryAttribute() => Skip = PythonSdk.Missing;
}
