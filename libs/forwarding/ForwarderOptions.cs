using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>How a forwarder takes in and keeps readings. The sink's options say where they go.</summary>
public sealed class ForwarderOptions
{
    /// <summary>Name of the service: the shared subscription's group and the prefix of MQTT client ids.</summary>
    public required string ServiceName { get; init; }

    /// <summary>What is forwarded.</summary>
    public required ReadingKind Kind { get; init; }

    /// <summary>Where everything is kept; shared by the replicas of a service on one machine.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Slots of this replica, each with a journal, an MQTT session and a channel of its own. Default 1.</summary>
    public required int Slots { get; init; }

    /// <summary>How long a slot may be without an owner before it is adopted. Longer than a restart takes. Default 1 min.</summary>
    public required TimeSpan SlotAdoptionGrace { get; init; }

    /// <summary>How long the broker must have sent nothing for an adopted slot before it counts as empty.</summary>
    public TimeSpan SlotDrainQuiet { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Cap of all dead letters together, in bytes; each origin may hold half of it. Default 64 MiB.</summary>
    public required long DeadLettersMaxBytes { get; init; }

    /// <summary>The broker; each slot connects with a client id and a subscription of its own.</summary>
    public required MqttOptions Mqtt { get; init; }

    /// <summary>The installation's identity, which names the sessions at the broker; null: that of the data directory.</summary>
    public string? Installation { get; init; }

    /// <summary>How journals are kept; each slot has one in a directory of its own.</summary>
    public required JournalOptions Journal { get; init; }

    /// <summary>
    /// What the destination's columns can hold: a reading that does not fit is put aside when it arrives. Null: the destination takes any
    /// value.
    /// </summary>
    public RowLimits? Limits { get; set; }

    public string DeadLettersDirectory => Path.Combine(DataDirectory, "dead-letters");

    /// <summary>The shared subscription.</summary>
    public string Subscription => $"$share/{ServiceName}/{Topics.Filter(Kind)}";

    public static ForwarderOptions Load(Settings settings, string serviceName, ReadingKind kind) => new()
    {
        ServiceName = serviceName,
        Kind = kind,
        DataDirectory = settings.Text("DATA_DIRECTORY", "/data", "Directory for everything that must survive a restart."),
        Slots = settings.WholeNumber("SLOTS", 1, 1, 16, "Slots of this replica, each with its own journal, MQTT session and destination channel."),
        SlotAdoptionGrace = settings.Duration("SLOT_ADOPTION_GRACE", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), "How long a slot may be without an owner before another replica empties and retires it."),
        SlotDrainQuiet = settings.Duration("SLOT_DRAIN_QUIET", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), "How long the broker must have sent nothing for an adopted slot before it is retired."),
        DeadLettersMaxBytes = settings.Bytes("DEAD_LETTERS_MAX_BYTES", 64L << 20, 1 << 20, 1L << 40,
            "Cap of the dead letters: half for what could not be read, half for what the destination refused. "
            + "Beyond it the device that holds most loses its oldest file."),
        Mqtt = MqttSettings.Load(settings, serviceName, serviceName),
        Installation = MqttSettings.Installation(settings),
        Journal = JournalSettings.Load(settings),
    };
}
