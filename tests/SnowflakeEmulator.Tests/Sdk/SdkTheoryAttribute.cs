using System.Runtime.CompilerServices;

namespace ThermalStreaming.SnowflakeEmulator.Tests.Sdk;

/// <summary>A theory that needs Snowflake's SDK; it is skipped, by name, where there is none.</summary>
sealed class SdkTheoryAttribute : TheoryAttribute
{
    public SdkTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = PythonSdk.Missing;
}
