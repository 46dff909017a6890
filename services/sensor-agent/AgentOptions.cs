using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's settings. Immutable once loaded.</summary>
sealed class AgentOptions
{
    /// <summary>Name of the device in topics and rows.</summary>
    public string DeviceId { get; set; } = "";

    /// <summary>Thermal readings per batch, 1 to 5,000. Default 10.</summary>
    public int BatchSize { get; set; } = 10;

    /// <summary>Time over which the readings of a thermal batch are evenly spread. Default 5 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Where the environment comes from.</summary>
    public SourceKind Source { get; set; }

    /// <summary>Simulate the environment instead of reading sensors. System metrics are real either way.</summary>
    public bool Simulate => Source == SourceKind.Simulate;

    /// <summary>Where inverter readings come from. Default a generated fleet.</summary>
    public InverterSource InverterSource { get; set; }

    /// <summary>The recorded files that are replayed, at most one of each kind.</summary>
    public IReadOnlyList<RecordingOptions> Replays { get; set; } = [];

    /// <summary>Whether real sensors are read.</summary>
    public bool ReadsSensors => !Simulate && Source != SourceKind.Replay;

    /// <summary>Whether readings of inverters are taken.</summary>
    public bool TakesInverters => InverterSource == InverterSource.Replay || Inverters > 0;

    /// <summary>Whether readings of a kind are taken at an interval; replayed ones are not.</summary>
    public bool IsSampled(ReadingKind kind) =>
        kind == ReadingKind.Thermal ? Simulate || ReadsSensors : InverterSource == InverterSource.Simulate && Inverters > 0;

    /// <summary>Where real sensors are looked for, and how they are used.</summary>
    public SensorOptions Sensors { get; set; } = new();

    /// <summary>For the simulation and the fleet. Derived from the device's name by default, so that a restart changes no curve.</summary>
    public int Seed { get; set; }

    /// <summary>Size of the generated fleet, 0 to 10,000; 0 turns it off. Default 60.</summary>
    public int Inverters { get; set; } = 60;

    /// <summary>Whether the fleet follows the sun and sleeps at night. Default false.</summary>
    public bool InverterDaylight { get; set; }

    /// <summary>Time between two readings of the fleet. Default 20 s.</summary>
    public TimeSpan InverterInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long the connection must last after an acknowledgement before the outbox may drop the reading. Default 35 min.
    /// </summary>
    public TimeSpan ReplayWindow { get; set; } = TimeSpan.FromMinutes(35);

    /// <summary>
    /// How long readings wait for a synchronised clock, from the machine's start or from the loss of synchronisation. Default 10 min.
    /// </summary>
    public TimeSpan ClockPatience { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Directory of the outbox.</summary>
    public string DataDirectory { get; set; } = "/data";

    /// <summary>The machine's /proc/net.</summary>
    public string HostNet { get; set; } = "/proc/net";

    /// <summary>The machine's /sys.</summary>
    public string HostSys { get; set; } = "/sys";

    /// <summary>Readings wait for a forwarder from the first start on, even if somebody else subscribes. Default false.</summary>
    public bool ForwarderRequired { get; set; }

    public MqttOptions Mqtt { get; set; } = new();

    /// <summary>Which of several brokers the device belongs to.</summary>
    public CellOptions Cells { get; set; } = CellOptions.Unused;

    /// <summary>
    /// The broker's TLS port, whose certificate is watched for expiry; 0: none. Default: the port of the connection if it uses TLS, else 0.
    /// </summary>
    public int CertificatePort { get; set; }

    /// <summary>Whether the device appears in Home Assistant. Default false.</summary>
    public bool HomeAssistant { get; set; }

    public JournalOptions Journal { get; set; } = new();

    /// <summary>Directory of the outbox of one kind.</summary>
    public string OutboxDirectory(ReadingKind kind) => Path.Combine(DataDirectory, "outbox", Topics.Name(kind));

    /// <summary>Reads and checks the settings; problems go to <see cref="Settings.Problem"/>.</summary>
    public static AgentOptions Load(Settings settings)
    {
        var options = new AgentOptions
        {
            DeviceId = settings.Text(
                "DEVICE_ID",
                HostIdentity.DeviceIdFrom(Environment.MachineName),
                "Name of this device in topics and rows."
            ),
            BatchSize = settings.WholeNumber("BATCH_SIZE", 10, 1, 5_000, "Thermal readings per batch."),
            Interval = settings.Duration(
                "INTERVAL_SECONDS",
                TimeSpan.FromSeconds(5),
                TimeSpan.FromMilliseconds(100),
                TimeSpan.FromDays(1),
                "Time between two thermal batches; their readings are spread evenly over it."
            ),
            Source = settings.Choice(
                "SOURCE",
                SourceKind.Auto,
                "Where environmental values come from. Auto: the sensors that are attached, nothing made up. "
                    + "Hardware: the same, and the agent reports a problem if there are none. Simulate: made up. Replay: from REPLAY_FILE. "
                    + "System metrics are real, except for a replay, which has the recording's."
            ),
            InverterSource = settings.Choice(
                "INVERTER_SOURCE",
                InverterSource.Simulate,
                "Where inverter readings come from. Simulate: a generated fleet of INVERTERS_NUM. Replay: from INVERTER_REPLAY_FILE."
            ),
            Inverters = settings.WholeNumber("INVERTERS_NUM", 60, 0, 10_000, "Inverters of the generated fleet; 0 for none."),
            InverterInterval = settings.Duration(
                "INVERTER_INTERVAL_SECONDS",
                TimeSpan.FromSeconds(20),
                TimeSpan.FromMilliseconds(100),
                TimeSpan.FromDays(1),
                "Time between two readings of the fleet."
            ),
            InverterDaylight = settings.Flag(
                "INVERTER_DAYLIGHT",
                false,
                "Generated power and temperature follow the sun, 6 to 18 h UTC, and nothing is read at night."
            ),
            ReplayWindow = settings.Duration(
                "REPLAY_WINDOW",
                TimeSpan.FromMinutes(35),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromDays(7),
                "How long acknowledged readings are kept, to be published again after a connection loss. Must exceed the broker's "
                    + "autosave_interval."
            ),
            ClockPatience = settings.Duration(
                "CLOCK_PATIENCE",
                TimeSpan.FromMinutes(10),
                TimeSpan.Zero,
                TimeSpan.FromDays(30),
                "How long after the machine's start readings wait for a clock that NTP has set. They are kept, and get the right time; "
                    + "after that they carry the machine's time and say so. 0: they never wait."
            ),
            DataDirectory = settings.Text("DATA_DIRECTORY", "/data", "Directory of the outbox."),
            HostNet = settings.Text(
                "HOST_NET",
                "/proc/net",
                "The machine's /proc/net; in a container read-only mounts of route and fib_trie (with IPv6 alone: ipv6_route, if_inet6) of "
                    + "its /proc/1/net."
            ),
            HostSys = settings.Text(
                "HOST_SYS",
                "/sys",
                "The machine's /sys; in a container read-only mounts of its class/net and devices."
            ),
            ForwarderRequired = settings.Flag(
                "FORWARDER_REQUIRED",
                false,
                "true: readings wait here until a forwarder says that it takes them; false: until the first forwarder was heard, any "
                    + "subscriber is enough, such as a program of your own."
            ),
            HomeAssistant = settings.Flag(
                "HOME_ASSISTANT",
                false,
                "true: this device and its present values appear in Home Assistant, which must be connected to the same broker."
            ),
            Journal = JournalSettings.Load(settings),
        };
        options.Seed = ReadSeed(settings) ?? Draws.SeedOf(options.DeviceId);
        settings.Retired(
            "SIMULATE",
            "remove it, and set SOURCE=simulate for simulated values or SOURCE=auto for those of the attached sensors."
        );
        options.Sensors = SensorSettings.Load(settings, options.DataDirectory);
        options.Replays = RecordingSettings.Load(settings, options);
        if (!Topics.IsDeviceId(options.DeviceId))
            settings.Problem(
                $"DEVICE_ID is '{options.DeviceId}'; it must have 1 to {Topics.MaxDeviceIdLength} characters, none of them + # / or a "
                    + "control character, and not begin with $."
            );
        foreach (var (key, path) in new[] { ("HOST_NET", options.HostNet), ("HOST_SYS", options.HostSys) })
        {
            if (!Directory.Exists(path))
                settings.Problem($"{key} is '{path}', which is not a directory; mount the machine's directory there, or leave {key} out.");
        }
        options.Cells = CellSettings.Load(settings, options.DeviceId, options.DataDirectory);
        options.Mqtt = MqttSettings.Load(
            settings,
            MqttSettings.Installation(settings) is { } installation
                ? $"sensor-agent-{installation}-{options.DeviceId}"
                : $"sensor-agent-{options.DeviceId}",
            "sensor-agent"
        );
        options.CertificatePort = settings.WholeNumber(
            "MQTT_CERTIFICATE_PORT",
            options.Mqtt.Tls is null ? 0 : options.Mqtt.Port,
            0,
            65_535,
            "TLS port of the broker whose certificate's expiry is watched; 0 for none. Without it MQTT_PORT if MQTT_TLS is true, else 0."
        );
        var status = Topics.Status(options.DeviceId);
        options.Mqtt.Birth = new MqttAnnouncement { Topic = status, Payload = Online };
        options.Mqtt.Will = new MqttAnnouncement { Topic = status, Payload = Offline };
        // The outbox knows what is not acknowledged; a session at the broker would only be a second opinion.
        options.Mqtt.CleanStart = true;
        options.Mqtt.SessionExpiry = TimeSpan.Zero;
        return options;
    }

    /// <summary>Payload of the status topic while the agent is connected.</summary>
    public static ReadOnlyMemory<byte> Online { get; } = "online"u8.ToArray();

    /// <summary>Payload of the status topic while the agent is away.</summary>
    public static ReadOnlyMemory<byte> Offline { get; } = "offline"u8.ToArray();

    /// <summary>
    /// Adds a JSON object of settings, named by <c>--config</c> or CONFIG_FILE: <c>{"BATCH_SIZE": 20, "SOURCE": "simulate"}</c>. The
    /// environment overrides it. Keys that are not settings (those of the original's snowflake_config.json) are ignored.
    /// </summary>
    /// <exception cref="ConfigurationException">The file cannot be read or is not such an object.</exception>
    public static void AddConfigFile(IConfigurationBuilder sources, string[] args)
    {
        var path = Environment.GetEnvironmentVariable("CONFIG_FILE");
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--config" && i + 1 < args.Length)
                path = args[i + 1];
            else if (args[i].StartsWith("--config=", StringComparison.Ordinal) || args[i].StartsWith("--config:", StringComparison.Ordinal))
                path = args[i]["--config=".Length..];
        }
        if (string.IsNullOrWhiteSpace(path))
            return;
        try
        {
            using var document = JsonDocument.Parse(
                File.ReadAllBytes(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
            );
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ConfigurationException([
                    $"CONFIG_FILE is '{path}', which is not a JSON object; write settings as {{\"BATCH_SIZE\": 20}}.",
                ]);
            sources.AddInMemoryCollection(
                document
                    .RootElement.EnumerateObject()
                    .Where(property => property.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null))
                    .Select(property => KeyValuePair.Create<string, string?>(property.Name, property.Value.ToString()))
                    .ToList()
            );
        }
        catch (JsonException e)
        {
            throw new ConfigurationException([
                $"CONFIG_FILE is '{path}', which is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine}); correct it there.",
            ]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([
                $"CONFIG_FILE is '{path}', which cannot be read ({Settings.Reason(e)}); correct the path or the file's permissions.",
            ]);
        }
    }

    static int? ReadSeed(Settings settings)
    {
        if (
            settings.OptionalText(
                "SEED",
                "Whole number that chooses the simulated values; if it is not set, the device's name chooses them. The same seed "
                    + "gives the same day."
            )
            is not { } text
        )
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed))
            return seed;
        settings.Problem($"SEED is '{text}'; it must be a whole number, {int.MinValue} to {int.MaxValue}.");
        return null;
    }
}
