using System.Globalization;
using System.Text.RegularExpressions;

namespace ThermalStreaming.Observability.Tests;

/// <summary>Log messages are found by the number of their event, also by machines.</summary>
public sealed partial class LogEventTests
{
    [Theory]
    [InlineData("sensor-agent")]
    [InlineData("snowpipe-forwarder")]
    [InlineData("s3-forwarder")]
    [InlineData("console")]
    public void Each_message_of_a_service_has_a_number_of_its_own(string service)
    {
        var events = Events("libs").Concat(Events($"services/{service}")).ToList();

        Assert.True(events.Count > 50, $"only {events.Count} log messages were found");
        var shared = events.GroupBy(one => one.Id).Where(group => group.Count() > 1);
        Assert.Empty(shared.Select(group => $"{group.Key}: {string.Join(", ", group.Select(one => one.File))}"));
    }

    static IEnumerable<(int Id, string File)> Events(string directory) =>
        Directory
            .EnumerateFiles(Repository.File(directory), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => EventId().Matches(File.ReadAllText(file)).Select(match => (Number(match), Path.GetFileName(file))));

    static int Number(Match match) => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"EventId = (\d+)")]
    private static partial Regex EventId();
}
