namespace ThermalStreaming.Mqtt;

/// <summary>State of the connection to the broker. Each change makes a new object.</summary>
public sealed record MqttConnectionState
{
    /// <summary>Number of the current connection, or of the last one; 0 before the first.</summary>
    public long Generation { get; init; }

    public bool IsConnected { get; init; }

    /// <summary>All subscriptions are granted on this connection.</summary>
    public bool IsSubscribed { get; init; }

    /// <summary>Connected, with all requested subscriptions granted.</summary>
    public bool IsReady => IsConnected && IsSubscribed;

    /// <summary>Another client uses the same client id: what that means and what to do. It stays set during the moments in which this
    /// client is connected. Null: no such client.</summary>
    public string? Rival { get; init; }

    /// <summary>The broker had kept the session when this connection was made.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>Why it is not ready, and what to do; null when it is ready, or at the start.</summary>
    public string? LastError { get; init; }

    /// <summary>The broker's reason in <see cref="LastError"/>, when it gave one.</summary>
    public MqttReasonCode? LastReason { get; init; }

    /// <summary>The client id in use, which the broker chose if the option is empty.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Publishes of QoS 1 the broker takes at once.</summary>
    public int ServerReceiveMaximum { get; init; }

    /// <summary>The broker keeps retained messages; otherwise it refuses messages to be retained.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>The keep-alive in use: the broker's if it set one.</summary>
    public TimeSpan KeepAlive { get; init; }
}
