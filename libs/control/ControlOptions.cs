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

    /// <summary>Null: no TLS.</summary>
    public ControlTls? Tls { get; init; }

    /// <summary>
    /// Send the token without TLS also where it leaves this machine and the project's network. Default false: such calls go without it.
    /// </summary>
    public bool AllowsPlainToken { get; init; }
}
