using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Keeps what was logged.</summary>
sealed class LogList : ILogger
{
    readonly List<(LogLevel Level, int Id, string Text)> entries = [];

    public IReadOnlyList<(LogLevel Level, int Id, string Text)> Entries
    {
        get
        {
            lock (entries)
                return [.. entries];
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (entries)
            entries.Add((logLevel, eventId.Id, formatter(state, exception)));
    }
}
