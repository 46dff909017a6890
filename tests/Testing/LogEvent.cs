using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Testing;

/// <summary>One kind of log entry.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Name">That of the method that logs it, which the generator of log methods makes the event's name.</param>
public sealed record LogEvent(LogLevel Level, string Name);
