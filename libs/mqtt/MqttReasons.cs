namespace ThermalStreaming.Mqtt;

/// <summary>Words for reason codes: what the code means and what a person can do about it.</summary>
static class MqttReasons
{
    public static bool IsFailure(this MqttReasonCode code) => code >= MqttReasonCode.UnspecifiedError;

    /// <summary>For example "not authorized (0x87)".</summary>
    public static string Describe(MqttReasonCode code) => $"{Name(code)} (0x{(byte)code:X2})";

    /// <summary>Everything that the broker gave as its reason, and what to do: the end of a sentence, and more sentences.</summary>
    public static string Sentence(MqttReasonCode code, string? reasonString, string? serverReference, string cure) =>
        $"{Describe(code)}{(string.IsNullOrEmpty(reasonString) ? "" : $", {reasonString}")}. {cure}"
        + (string.IsNullOrEmpty(serverReference) ? "" : $" It names another server: {serverReference}.");

    /// <summary>What to do when the broker answers CONNECT with this code.</summary>
    public static string ConnectCure(MqttReasonCode code, string? userName) =>
        code switch
        {
            MqttReasonCode.BadUserNameOrPassword or MqttReasonCode.NotAuthorized when userName is null =>
                "This broker wants a user name: set MQTT_USER and MQTT_PASSWORD.",
            MqttReasonCode.BadUserNameOrPassword or MqttReasonCode.NotAuthorized =>
                "Check MQTT_USER and MQTT_PASSWORD against the broker's password file, and that the user may connect.",
            MqttReasonCode.ClientIdentifierNotValid => "Choose another client id; the broker does not accept this one.",
            MqttReasonCode.UnsupportedProtocolVersion =>
                "The broker must speak MQTT 5.0 (Mosquitto 1.6 or newer); check its version and the port.",
            MqttReasonCode.Banned => "The broker's operator has banned this client; ask the operator.",
            MqttReasonCode.BadAuthenticationMethod =>
                "The broker wants enhanced authentication, which this client does not offer; allow user name and password.",
            MqttReasonCode.TopicNameInvalid => "The will's topic is not accepted; check the device id and the broker's ACL.",
            MqttReasonCode.PacketTooLarge => "The will is larger than the broker allows.",
            MqttReasonCode.RetainNotSupported =>
                "The broker does not keep retained messages, which the will asks for; allow retain on the broker.",
            MqttReasonCode.QosNotSupported => "The broker does not offer QoS 1, which the will asks for; raise its maximum QoS.",
            MqttReasonCode.UseAnotherServer or MqttReasonCode.ServerMoved => "Set MQTT_HOST to the broker that serves this client now.",
            MqttReasonCode.QuotaExceeded
            or MqttReasonCode.ConnectionRateExceeded
            or MqttReasonCode.ServerBusy
            or MqttReasonCode.ServerUnavailable => "The broker is overloaded or not ready; the client tries again.",
            _ => "The broker's log has the details.",
        };

    /// <summary>What to do when the broker closes a connection that was up.</summary>
    public static string DisconnectCure(MqttReasonCode code) =>
        code switch
        {
            MqttReasonCode.SessionTakenOver =>
                "Another client connected with the same client id; give each client its own, and make sure that no second instance runs.",
            MqttReasonCode.QuotaExceeded => "The broker's limit for this client was reached; raise it there or send less.",
            MqttReasonCode.MessageRateTooHigh => "The broker limits the message rate; raise the limit there or send less often.",
            MqttReasonCode.KeepAliveTimeout =>
                "The broker heard nothing from this client in time; check the network and the load of this machine.",
            MqttReasonCode.ReceiveMaximumExceeded => "The broker counted more unacknowledged messages than it allows.",
            MqttReasonCode.PacketTooLarge =>
                "A message was larger than the broker allows; raise its limit (message_size_limit, max_packet_size) or send smaller "
                    + "batches.",
            MqttReasonCode.NotAuthorized => "The user's rights changed or do not cover this; check the broker's ACL.",
            MqttReasonCode.AdministrativeAction => "The broker's operator closed the connection.",
            MqttReasonCode.UseAnotherServer or MqttReasonCode.ServerMoved => "Set MQTT_HOST to the broker that serves this client now.",
            MqttReasonCode.MalformedPacket or MqttReasonCode.ProtocolError =>
                "The broker did not understand this client; please report it together with the broker's log.",
            _ => "The client tries again.",
        };

    /// <summary>What to do when a subscription is refused.</summary>
    public static string SubscribeCure(MqttReasonCode code) =>
        code switch
        {
            MqttReasonCode.NotAuthorized => "Allow this user to read the topic in the broker's ACL.",
            MqttReasonCode.SharedSubscriptionsNotSupported => "Use a broker with shared subscriptions, or one subscriber without $share.",
            MqttReasonCode.WildcardSubscriptionsNotSupported => "Allow wildcard subscriptions on the broker.",
            MqttReasonCode.TopicFilterInvalid => "Check the topic filter.",
            MqttReasonCode.QuotaExceeded => "The broker's limit of subscriptions is reached; raise it there.",
            _ => "The broker's log has the details.",
        };

    static string Name(MqttReasonCode code) =>
        code switch
        {
            MqttReasonCode.Success => "success",
            MqttReasonCode.GrantedQos1 => "granted QoS 1",
            MqttReasonCode.GrantedQos2 => "granted QoS 2",
            MqttReasonCode.DisconnectWithWill => "disconnect with will message",
            MqttReasonCode.NoMatchingSubscribers => "no matching subscribers",
            MqttReasonCode.NoSubscriptionExisted => "no subscription existed",
            MqttReasonCode.ContinueAuthentication => "continue authentication",
            MqttReasonCode.Reauthenticate => "re-authenticate",
            MqttReasonCode.UnspecifiedError => "unspecified error",
            MqttReasonCode.MalformedPacket => "malformed packet",
            MqttReasonCode.ProtocolError => "protocol error",
            MqttReasonCode.ImplementationSpecificError => "implementation specific error",
            MqttReasonCode.UnsupportedProtocolVersion => "unsupported protocol version",
            MqttReasonCode.ClientIdentifierNotValid => "client identifier not valid",
            MqttReasonCode.BadUserNameOrPassword => "bad user name or password",
            MqttReasonCode.NotAuthorized => "not authorized",
            MqttReasonCode.ServerUnavailable => "server unavailable",
            MqttReasonCode.ServerBusy => "server busy",
            MqttReasonCode.Banned => "banned",
            MqttReasonCode.ServerShuttingDown => "server shutting down",
            MqttReasonCode.BadAuthenticationMethod => "bad authentication method",
            MqttReasonCode.KeepAliveTimeout => "keep alive timeout",
            MqttReasonCode.SessionTakenOver => "session taken over",
            MqttReasonCode.TopicFilterInvalid => "topic filter invalid",
            MqttReasonCode.TopicNameInvalid => "topic name invalid",
            MqttReasonCode.PacketIdentifierInUse => "packet identifier in use",
            MqttReasonCode.PacketIdentifierNotFound => "packet identifier not found",
            MqttReasonCode.ReceiveMaximumExceeded => "receive maximum exceeded",
            MqttReasonCode.TopicAliasInvalid => "topic alias invalid",
            MqttReasonCode.PacketTooLarge => "packet too large",
            MqttReasonCode.MessageRateTooHigh => "message rate too high",
            MqttReasonCode.QuotaExceeded => "quota exceeded",
            MqttReasonCode.AdministrativeAction => "administrative action",
            MqttReasonCode.PayloadFormatInvalid => "payload format invalid",
            MqttReasonCode.RetainNotSupported => "retain not supported",
            MqttReasonCode.QosNotSupported => "QoS not supported",
            MqttReasonCode.UseAnotherServer => "use another server",
            MqttReasonCode.ServerMoved => "server moved",
            MqttReasonCode.SharedSubscriptionsNotSupported => "shared subscriptions not supported",
            MqttReasonCode.ConnectionRateExceeded => "connection rate exceeded",
            MqttReasonCode.MaximumConnectTime => "maximum connect time",
            MqttReasonCode.SubscriptionIdentifiersNotSupported => "subscription identifiers not supported",
            MqttReasonCode.WildcardSubscriptionsNotSupported => "wildcard subscriptions not supported",
            _ => "unknown reason",
        };
}
