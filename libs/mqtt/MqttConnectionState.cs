namespace ThermalStreaming.Mqtt;

/// <summary>How things stand with the broker. A new one is made at each change.</summary>
public sealed record MqttConnectionState
{
    /// <summary>Number of the current connection, or of the last one; 0 before the first.</summary>
    public long Generation { get; init; }

    public bool IsConnected { get; init; }

    /// <summary>All subscriptions are granted on this connection.</summary>
    public bool IsSubscribed { get; init; }

    /// <summary>Connected and subscribed to all that was asked for.</summary>
    public bool IsReady => IsConnected && IsSubscribed;

    /// <summary>Another client uses the same client id: what that means and what to do. It outlasts the moments in which this one is
    /// connected. Null: none.</summary>
    public string? Rival { get; init; }

    /// <summary>The broker had kept the session when this connection was made.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>Why it is not ready, with what to do; null when it is, or at the start.</summary>
    public string? LastError { get; init; }

    /// <summary>The broker's reason in <see cref="LastError"/>, when it gave one.</summary>
    public MqttReasonCode? LastReason { get; init; }

    /// <summary>The client id in use, which the broker chose if the option is empty.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Publishes of QoS 1 the broker takes at once.</summary>
    public int ServerReceiveMaximum { get; init; }

    /// <summary>The broker keeps retained messages; without that it refuses what asks to be retained.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>In use: the broker's if it set one.</summary>
    public TimeSpan KeepAlive { get; init; }
}
