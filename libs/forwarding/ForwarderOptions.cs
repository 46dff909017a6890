using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mappings;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>How a forwarder takes in and keeps readings. The sink's options say where they go.</summary>
public sealed class ForwarderOptions
{
    /// <summary>Name of the service: the shared subscription's group and the prefix of MQTT client ids.</summary>
    public required string ServiceName { get; init; }

    /// <summary>The kind of readings that is forwarded.</summary>
    public required ReadingKind Kind { get; init; }

    /// <summary>The data directory, shared by the replicas of a service on one machine.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Slots of this replica at least, each with a journal, an MQTT session and a channel of its own. Default 1.</summary>
    public required int Slots { get; init; }

    /// <summary>
    /// Slots at most: when readings are late, the replica opens more than <see cref="Slots"/> by itself, and closes them later. If this is
    /// not more than <see cref="Slots"/>, it opens none. Default 0.
    /// </summary>
    public int MostSlots { get; init; }

    /// <summary>How readily the replica opens and closes slots.</summary>
    internal ScalingPace Pace { get; init; } = ScalingPace.Usual;

    /// <summary>How long a slot may be without an owner before it is adopted. Must be longer than a restart. Default 1 min.</summary>
    public required TimeSpan SlotAdoptionGrace { get; init; }

    /// <summary>How long the broker must have sent nothing for an adopted slot before it counts as empty.</summary>
    public TimeSpan SlotDrainQuiet { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Cap of all dead letters together, in bytes; each origin may hold half of it. Default 64 MiB.</summary>
    public required long DeadLettersMaxBytes { get; init; }

    /// <summary>Most memory of the ledger, in bytes. Default 32 MiB.</summary>
    public long LedgerMaxBytes { get; init; } = StoredReadings.UsualMaxBytes;

    /// <summary>The broker; each slot connects with a client id and a subscription of its own.</summary>
    public required MqttOptions Mqtt { get; init; }

    /// <summary>The installation's identity, which names the sessions at the broker; null: that of the data directory.</summary>
    public string? Installation { get; init; }

    /// <summary>How this forwarder gets readings into Snowflake.</summary>
    public CostRoad Road { get; init; }

    /// <summary>What that road costs.</summary>
    public CostPrices Prices { get; init; } = CostPrices.Default;

    /// <summary>How journals are kept; each slot has one in a directory of its own.</summary>
    public required JournalOptions Journal { get; init; }

    /// <summary>
    /// What the destination's columns can hold: a reading that does not fit becomes a dead letter when it arrives. Null: the destination
    /// takes any value.
    /// </summary>
    public RowLimits? Limits { get; set; }

    public string DeadLettersDirectory => Path.Combine(DataDirectory, "dead-letters");

    /// <summary>What becomes of messages on topics other than our own. Default none.</summary>
    public MappingSet Mappings { get; init; } = MappingSet.None;

    /// <summary>The shared subscription to the readings of our own format.</summary>
    public string Subscription => Shared(Topics.Filter(Kind));

    /// <summary>Every shared subscription. No two of them take the same message.</summary>
    public IReadOnlyList<string> Subscriptions => [Subscription, .. Mappings.Subscriptions(Kind).Select(filter => Shared(filter.Text))];

    public static ForwarderOptions Load(Settings settings, string serviceName, ReadingKind kind, CostRoad road)
    {
        var slots = SlotCount.Load(settings);
        return new()
        {
            ServiceName = serviceName,
            Kind = kind,
            DataDirectory = settings.Text("DATA_DIRECTORY", "/data", "Directory for everything that must survive a restart."),
            Slots = slots.Least,
            MostSlots = slots.Most,
            SlotAdoptionGrace = settings.Duration(
                "SLOT_ADOPTION_GRACE",
                TimeSpan.FromMinutes(1),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromDays(1),
                "How long a slot may be without an owner before another replica empties and retires it."
            ),
            SlotDrainQuiet = settings.Duration(
                "SLOT_DRAIN_QUIET",
                TimeSpan.FromSeconds(5),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromMinutes(5),
                "How long the broker must have sent nothing for an adopted slot before it is retired."
            ),
            DeadLettersMaxBytes = settings.Bytes(
                "DEAD_LETTERS_MAX_BYTES",
                64L << 20,
                1 << 20,
                1L << 40,
                "Cap of the dead letters: half for messages that could not be read, half for readings that the destination refused. "
                    + "Beyond it the device that holds most loses its oldest file."
            ),
            LedgerMaxBytes = settings.Bytes(
                "LEDGER_MAX_BYTES",
                StoredReadings.UsualMaxBytes,
                1 << 20,
                4L << 30,
                "Most memory of the ledger, about 1.2 KB for each device. Beyond it the devices that have been silent longest are "
                    + "forgotten: readings that they send again are stored again."
            ),
            Mqtt = MqttSettings.Load(settings, serviceName, serviceName),
            Installation = MqttSettings.Installation(settings),
            Journal = JournalSettings.Load(settings),
            Mappings = LoadMappings(settings),
            Road = road,
            Prices = CostPrices.Load(settings),
        };
    }

    string Shared(string filter) => $"$share/{ServiceName}/{filter}";

    static MappingSet LoadMappings(Settings settings)
    {
        var problems = new List<string>();
        var mappings = MappingFiles.InUse(
            settings.Text(
                "MAPPINGS",
                "",
                $"Ready-made mappings for devices with fixed topics, comma-separated: {string.Join(", ", ReadyMade.Names)}."
            ),
            settings.OptionalText("MAPPINGS_FILE", "A mapping file of your own, YAML or JSON (docs/devices.md)."),
            problems
        );
        problems.ForEach(settings.Problem);
        return mappings;
    }
}
