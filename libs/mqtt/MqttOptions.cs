namespace ThermalStreaming.Mqtt;

/// <summary>How to reach a broker, and how the session behaves. Copied when a client is made.</summary>
public sealed record MqttOptions
{
    /// <summary>Name or address of the broker.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>1–65535. Default 1883; 8883 is usual with TLS.</summary>
    public int Port { get; set; } = 1883;

    /// <summary>Names the session at the broker: unique, and the same after a restart. If it is empty, the broker chooses, and the session
    /// is lost at the next start.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>The placeholder for the client id in <see cref="UserName"/>.</summary>
    public const string ClientPlaceholder = "{client}";

    /// <summary>User at the broker; <see cref="ClientPlaceholder"/> in it stands for <see cref="ClientId"/>, for a broker with a user for
    /// each client.</summary>
    public string? UserName { get; set; }

    public string? Password { get; set; }

    /// <summary>A file with the password, read for each connection: a new password counts from the next connection on. While the file
    /// cannot be read or is empty, <see cref="Password"/> counts.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>Discard the broker's session for this client id, at the first connection only; reconnects always resume. Default
    /// false.</summary>
    public bool CleanStart { get; set; }

    /// <summary>How long the broker keeps the session after the connection ends, in whole seconds; <see cref="NeverExpires"/> for ever.
    /// Default 7 days.</summary>
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The <see cref="SessionExpiry"/> that never ends (0xFFFFFFFF on the wire).</summary>
    public static readonly TimeSpan NeverExpires = TimeSpan.FromSeconds(uint.MaxValue);

    /// <summary>A dead connection is noticed after at most this time plus an eighth. Whole seconds, 1–65535. The broker may set another.
    /// Default 30 s.</summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Messages of QoS 1 the broker may have sent and not yet seen acknowledged, 1–1000. It bounds memory. Mosquitto 2.0 stalls
    /// with 65,535, and exceeds a lower value when it holds a backlog. Beyond four times this (and 1000), or beyond 384 KiB of payload, the
    /// rest, and the answers to the client's own publishes behind it, is left unread until something is acknowledged. Default
    /// 1000.</summary>
    public int ReceiveMaximum { get; set; } = 1000;

    /// <summary>Largest packet accepted, in bytes; announced to the broker, which drops larger ones. 1 KiB–256 MiB. Default 16
    /// MiB.</summary>
    public int MaximumPacketSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>Publishes of QoS 1 sent and not yet acknowledged, 1–65535; the broker's own Receive Maximum counts if lower. Default
    /// 1000.</summary>
    public int MaximumInFlight { get; set; } = 1000;

    /// <summary>For DNS, TCP, TLS and the broker's CONNACK together, and for a SUBACK. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Ceiling of the back-off between attempts. The wait is random between zero and a bound that doubles from 1 s. At most 30 s,
    /// the default.</summary>
    public TimeSpan MaximumReconnectDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Published by the broker when the connection ends other than by a stop of the client.</summary>
    public MqttAnnouncement? Will { get; set; }

    /// <summary>Published after each connect, before anything else.</summary>
    public MqttAnnouncement? Birth { get; set; }

    /// <summary>Made on each connection; <c>$share/{group}/{filter}</c> makes a shared one.</summary>
    public IReadOnlyList<MqttSubscription> Subscriptions { get; set; } = [];

    /// <summary>Null is plain TCP.</summary>
    public MqttTls? Tls { get; set; }

    /// <summary>A copy, so that later changes by the caller have no effect.</summary>
    internal MqttOptions Copy() => this with { Subscriptions = [.. Subscriptions], Tls = Tls?.Copy() };

    /// <summary>The password for a connection that begins now.</summary>
    internal string? CurrentPassword()
    {
        try
        {
            return PasswordFile is { } path && File.ReadAllText(path).TrimEnd('\r', '\n') is { Length: > 0 } password ? password : Password;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Password;
        }
    }

    /// <summary>Never the password, which a record would print.</summary>
    public override string ToString() => $"{Host}:{Port} as '{ClientId}'";

    /// <summary>Everything wrong with these options, one sentence each; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> problems = [];
        if (string.IsNullOrWhiteSpace(Host))
            problems.Add("The MQTT host is empty; give the name or address of the broker.");
        Range("The MQTT port", Port, 1, 65_535);
        Range("The MQTT receive maximum", ReceiveMaximum, 1, 1000);
        Range("The MQTT maximum packet size", MaximumPacketSize, 1024, 256 * 1024 * 1024);
        Range("The MQTT in-flight maximum", MaximumInFlight, 1, 65_535);
        Range("The MQTT keep-alive in seconds", KeepAlive.TotalSeconds, 1, 65_535);
        Range("The MQTT session expiry in seconds", SessionExpiry.TotalSeconds, 0, uint.MaxValue);
        Range("The MQTT connect timeout in seconds", ConnectTimeout.TotalSeconds, 0.1, 600);
        Range("The MQTT reconnect delay in seconds", MaximumReconnectDelay.TotalSeconds, 0.001, 30);
        Text("client id", ClientId);
        Text("user name", UserName);
        if (Password is not null && System.Text.Encoding.UTF8.GetByteCount(Password) > 65_535)
            problems.Add("The MQTT password is longer than 65535 bytes.");
        foreach (var (name, message) in new[] { ("will", Will), ("birth message", Birth) })
        {
            if (message is null)
                continue;
            if (MqttTopic.NameProblem(message.Topic) is { } problem)
                problems.Add($"The topic of the MQTT {name} is '{message.Topic}': {problem}.");
            if (message.Qos > MqttQos.AtLeastOnce)
                problems.Add($"The MQTT {name} asks for QoS {(int)message.Qos}; it must be 0 or 1.");
            if (message.Payload.Length > 65_535)
                problems.Add($"The MQTT {name} is {message.Payload.Length} bytes long; it must be at most 65535.");
            Text($"content type of the {name}", message.ContentType);
        }
        foreach (var subscription in Subscriptions)
        {
            if (MqttTopic.FilterProblem(subscription.Filter) is { } problem)
                problems.Add($"The MQTT subscription is '{subscription.Filter}': {problem}.");
            if (subscription.MaximumQos > MqttQos.AtLeastOnce)
            {
                problems.Add(
                    $"The MQTT subscription '{subscription.Filter}' asks for QoS {(int)subscription.MaximumQos}; " + "it must be 0 or 1."
                );
            }
        }
        if (Tls is { ClientCertificateFile: null, ClientKeyFile: not null })
            problems.Add("There is an MQTT client key file but no client certificate file; give both or neither.");
        return problems;

        void Range(string what, double value, double from, double to)
        {
            if (!(value >= from && value <= to))
                problems.Add($"{what} is {value}; it must be {from} to {to}.");
        }

        void Text(string what, string? value)
        {
            if (value is not null && MqttTopic.TextProblem(value) is { } problem)
                problems.Add($"The MQTT {what} cannot be used: {problem}.");
        }
    }
}
