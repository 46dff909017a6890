using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>Which readings to receive, and from which broker. Immutable.</summary>
sealed record TailOptions
{
    /// <summary>Host of the broker.</summary>
    public required string Host { get; init; }

    /// <summary>Port of its listener.</summary>
    public required int Port { get; init; }

    /// <summary>Null: without TLS.</summary>
    public required BrokerTls? Tls { get; init; }

    /// <summary>Null: one of the names that `setup` makes for this program.</summary>
    public required string? User { get; init; }

    /// <summary>File with the password on one line.</summary>
    public required string PasswordFile { get; init; }

    /// <summary>Null: both.</summary>
    public required ReadingKind? Kind { get; init; }

    /// <summary>Null: every device.</summary>
    public required string? Device { get; init; }

    /// <summary>How many readings; 0: no limit.</summary>
    public required int Count { get; init; }

    public IEnumerable<string> Filters =>
        new[] { ReadingKind.Thermal, ReadingKind.Inverter }
            .Where(kind => Kind is null || Kind == kind)
            .Select(kind => Device is null ? Topics.Filter(kind) : Topics.Readings(Device, kind));
}
