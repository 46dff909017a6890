using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Control;

/// <summary>How a control service is called. Immutable.</summary>
public sealed record ControlOptions
{
    /// <summary>The port that services listen on where nothing else is set.</summary>
    public const int DefaultPort = 8081;

    /// <summary>The port of all replicas of a service.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>What changing calls are authorised with; null: they are refused with UNAUTHENTICATED.</summary>
    public string? Token { get; init; }

    /// <summary>The deadline of unary calls that name none. A flush, a self-test and a calibration need more. Default 5 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The authority that signed the services' certificates: TLS is used. Null: no TLS.</summary>
    public X509Certificate2? Authority { get; init; }
}
