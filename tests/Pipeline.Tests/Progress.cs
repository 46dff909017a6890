using System.Globalization;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What happens while a long test runs. <c>./test</c> shows it as it comes; a failing test shows it all.</summary>
static class Progress
{
    static readonly Lock gate = new();
    static readonly string? path = Environment.GetEnvironmentVariable("THERMAL_TEST_PROGRESS");
    static readonly long started = TimeProvider.System.GetTimestamp();

    public static void Say(string line)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetElapsedTime(started).TotalSeconds, 6:0.0} s  {line}"
        );
        lock (gate)
        {
            if (path is { Length: > 0 })
                File.AppendAllText(path, text + "\n");
            Console.WriteLine(text);
        }
    }
}
