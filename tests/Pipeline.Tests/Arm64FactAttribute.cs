using System.Runtime.CompilerServices;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// A test that runs images for arm64. THERMAL_TEST_ARM64 is their tag, which <c>./test arm64</c> sets when it has made them and this
/// machine can run them. Without it the test is skipped, with the reason.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Arm64FactAttribute : FactAttribute
{
    public Arm64FactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (string.IsNullOrEmpty(ImageTag))
            Skip = "It takes images for arm64 and, on another machine, qemu. ./test arm64 makes both ready.";
    }

    /// <summary>The tag of the images for arm64; null when there are none.</summary>
    public static string? ImageTag => Environment.GetEnvironmentVariable("THERMAL_TEST_ARM64");
}
