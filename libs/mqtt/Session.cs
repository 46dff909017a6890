namespace ThermalStreaming.Mqtt;

/// <summary>What a client keeps from one connection to the next. Each part says who may use it, and from which thread.</summary>
sealed class Session
{
    public Session(MqttOptions options, TimeProvider clock)
    {
        Options = options;
        Clock = clock;
        Store = new PublishStore(options.MaximumInFlight);
        Subscriptions = new SubscriptionBook(options.Subscriptions, Store, clock, options.ConnectTimeout);
        Inbox = new Inbox(options.ReceiveMaximum);
    }

    public MqttOptions Options { get; }

    public TimeProvider Clock { get; }

    public PublishStore Store { get; }

    public SubscriptionBook Subscriptions { get; }

    public Inbox Inbox { get; }

    public MqttCounters Counters { get; } = new();

    /// <summary>Ends a wait for messages to gather. The reader sets it when half of the messages that may be unacknowledged wait for the
    /// consumer.</summary>
    public AsyncSignal Gathered { get; } = new();

    /// <summary>For the reader of the current connection.</summary>
    public TextCache Topics { get; } = new(2048);

    /// <summary>For the reader of the current connection.</summary>
    public TextCache ContentTypes { get; } = new(16);

    /// <summary>The broker, as errors name it within a sentence or, in the second form, at the start of one.</summary>
    public string Broker => $"the MQTT broker {Options.Host}:{Options.Port}";

    /// <inheritdoc cref="Broker"/>
    public string TheBroker => $"The MQTT broker {Options.Host}:{Options.Port}";
}
