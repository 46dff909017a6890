namespace ThermalStreaming.Testing;

/// <summary>What a test's broker is to be like.</summary>
public sealed class BrokerSettings
{
    /// <summary>
    /// Keep sessions and queued messages on disk, so that they survive <see cref="ITestBroker.KillAsync"/> as far as they were saved.
    /// </summary>
    public bool Persistence { get; init; }

    /// <summary>Users and their passwords; with none, anybody may connect.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string>();

    /// <summary>Lines of an ACL file, for example "user agent" and "topic write telemetry/#". Empty: no restrictions.</summary>
    public IReadOnlyList<string> Acl { get; init; } = [];

    /// <summary>Adds a TLS listener on a port of its own.</summary>
    public BrokerTls? Tls { get; init; }

    /// <summary>More lines for Mosquitto's configuration, before the listeners.</summary>
    public IReadOnlyList<string> Configuration { get; init; } = [];
}
