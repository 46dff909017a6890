using System.Text.RegularExpressions;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>What the images tell the runtime.</summary>
public sealed partial class ImageSettingsTests
{
    /// <summary>
    /// Natively compiled programs read these numbers as hexadecimal digits and ignore a value that begins with 0x; the JIT's runtime takes
    /// both, so nothing but this test, and the memory after some minutes, tells.
    /// </summary>
    [Fact]
    public void Numbers_for_the_garbage_collector_have_no_prefix()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Dockerfile")))
            root = root.Parent ?? throw new InvalidOperationException($"No directory above {AppContext.BaseDirectory} has a Dockerfile.");

        var values = Setting().Matches(File.ReadAllText(Path.Combine(root.FullName, "Dockerfile"))).Select(match => match.Groups[1].Value);

        Assert.Equal(["200000", "200000"], values);
    }

    [GeneratedRegex(@"DOTNET_GC\w+=(\S+)")]
    private static partial Regex Setting();
}
