namespace ThermalStreaming.Control;

/// <summary>How to call a control service. Immutable.</summary>
public sealed record ControlOptions
{
    /// <summary>The default port of services.</summary>
    public const int DefaultPort = 8081;

    /// <summary>The port of all replicas of a service.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Token that authorises changes; null: they are refused with UNAUTHENTICATED.</summary>
    public string? Token { get; init; }

    /// <summary>The deadline of unary calls without their own. A flush, a self-test and a calibration need more. Default 5 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Null: no TLS.</summary>
    public ControlTls? Tls { get; init; }

    /// <summary>
    /// Send the token without TLS even if it leaves this machine and the project's network. Default false: such calls go without it.
    /// </summary>
    public bool AllowsPlainToken { get; init; }
}
