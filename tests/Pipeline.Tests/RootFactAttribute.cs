using System.Runtime.CompilerServices;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>A test that reads /proc files of other users' processes; skipped, with the reason, for anybody but root.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = "It reads /proc/PID/io of the containers' processes: run it as root.";
    }
}
