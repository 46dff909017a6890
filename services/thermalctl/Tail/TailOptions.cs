using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>Which readings are wanted, and of which broker.</summary>
/// <param name="Host">Of the broker.</param>
/// <param name="Port">Of its listener.</param>
/// <param name="Tls">Null: without TLS.</param>
/// <param name="User">Null: one of the names that `setup` makes for this program.</param>
/// <param name="PasswordFile">With the password on one line.</param>
/// <param name="Kind">Null: both.</param>
/// <param name="Device">Null: every device.</param>
/// <param name="Count">How many readings; 0: without end.</param>
sealed record TailOptions(
    string Host,
    int Port,
    BrokerTls? Tls,
    string? User,
    string PasswordFile,
    ReadingKind? Kind,
    string? Device,
    int Count
)
{
    public IEnumerable<string> Filters =>
        new[] { ReadingKind.Thermal, ReadingKind.Inverter }
            .Where(kind => Kind is null || Kind == kind)
            .Select(kind => Device is null ? Topics.Filter(kind) : Topics.Readings(Device, kind));
}
