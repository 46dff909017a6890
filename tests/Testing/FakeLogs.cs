using Microsoft.Extensions.Logging.Testing;

namespace ThermalStreaming.Testing;

/// <summary>What a test asks of a log that is kept in memory. Thread-safe.</summary>
public static class FakeLogs
{
    /// <summary>The messages of one event so far.</summary>
    public static IReadOnlyList<string> Of(this FakeLogCollector log, LogEvent wanted) =>
        [.. log.GetSnapshot().Where(entry => entry.Level == wanted.Level && entry.Id.Name == wanted.Name).Select(entry => entry.Message)];

    /// <summary>All messages so far.</summary>
    public static IReadOnlyList<string> Messages(this FakeLogCollector log) => [.. log.GetSnapshot().Select(entry => entry.Message)];
}
