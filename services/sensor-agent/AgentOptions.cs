using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Everything the agent can be told. Immutable once loaded.</summary>
sealed class AgentOptions
{
    /// <summary>Name of the device in topics and rows.</summary>
    public string DeviceId { get; set; } = "";

    /// <summary>Thermal readings per batch, 1 to 5,000. Default 10.</summary>
    public int BatchSize { get; set; } = 10;

    /// <summary>Time in which a batch of thermal readings is taken, evenly spread. Default 5 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Make up the environment instead of reading sensors. System metrics are real either way.</summary>
    public bool Simulate { get; set; }

    /// <summary>For the simulation and the fleet; null: another one at each start.</summary>
    public int? Seed { get; set; }

    /// <summary>Size of the generated fleet, 0 to 10,000; 0 turns it off. Default 60.</summary>
    public int Inverters { get; set; } = 60;

    /// <summary>Time between two readings of the fleet. Default 20 s.</summary>
    public TimeSpan InverterInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long the broker must have kept its connection after an acknowledgement before a reading is forgotten here. Default 35 min.
    /// </summary>
    public TimeSpan ReplayWindow { get; set; } = TimeSpan.FromMinutes(35);

    /// <summary>Where the outbox lies.</summary>
    public string DataDirectory { get; set; } = "/data";

    /// <summary>The machine's /proc/net.</summary>
    public string HostNet { get; set; } = "/proc/net";

    /// <summary>The machine's /sys.</summary>
    public string HostSys { get; set; } = "/sys";

    public MqttOptions Mqtt { get; set; } = new();

    /// <summary>
    /// The broker's TLS port, of which the certificate's expiry is watched; 0: none. Default the port of the connection if that has TLS,
    /// else 0.
    /// </summary>
    public int CertificatePort { get; set; }

    public JournalOptions Journal { get; set; } = new();

    /// <summary>Where the outbox of one kind lies.</summary>
    public string OutboxDirectory(ReadingKind kind) => Path.Combine(DataDirectory, "outbox", Topics.Name(kind));

    /// <summary>Reads and checks the settings; problems go to <see cref="Settings.Problem"/>.</summary>
    public static AgentOptions Load(Settings settings)
    {
        var options = new AgentOptions
        {
            DeviceId = settings.Text("DEVICE_ID", HostIdentity.DeviceIdFrom(Environment.MachineName), "Name of this device in topics and rows."),
            BatchSize = settings.WholeNumber("BATCH_SIZE", 10, 1, 5_000, "Thermal readings per batch."),
            Interval = settings.Duration("INTERVAL_SECONDS", TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1),
                "Time between two thermal batches; their readings are spread evenly over it."),
            Simulate = settings.Flag("SIMULATE", false, "Simulate the environmental sensors. System metrics are real either way."),
            Seed = ReadSeed(settings),
            Inverters = settings.WholeNumber("INVERTERS_NUM", 60, 0, 10_000, "Inverters of the generated fleet; 0 for none."),
            InverterInterval = settings.Duration("INVERTER_INTERVAL_SECONDS", TimeSpan.FromSeconds(20), TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1),
                "Time between two readings of the fleet."),
            ReplayWindow = settings.Duration("REPLAY_WINDOW", TimeSpan.FromMinutes(35), TimeSpan.FromSeconds(1), TimeSpan.FromDays(7),
                "How long acknowledged readings are kept, to be published again after a connection loss. Must exceed the broker's autosave_interval."),
            DataDirectory = settings.Text("DATA_DIRECTORY", "/data", "Directory of the outbox."),
            HostNet = settings.Text("HOST_NET", "/proc/net",
                "The machine's /proc/net; in a container read-only mounts of route and fib_trie (with IPv6 alone: ipv6_route, if_inet6) of its /proc/1/net."),
            HostSys = settings.Text("HOST_SYS", "/sys", "The machine's /sys; in a container read-only mounts of its class/net and devices."),
            Journal = JournalSettings.Load(settings),
        };
        if (!Topics.IsDeviceId(options.DeviceId))
            settings.Problem($"DEVICE_ID is '{options.DeviceId}'; it must have 1 to {Topics.MaxDeviceIdLength} characters, none of them + # / or a control character, and not begin with $.");
        foreach (var (key, path) in new[] { ("HOST_NET", options.HostNet), ("HOST_SYS", options.HostSys) })
        {
            if (!Directory.Exists(path))
                settings.Problem($"{key} is '{path}', which is no directory; mount the machine's there, or leave {key} out.");
        }
        options.Mqtt = MqttSettings.Load(settings, MqttSettings.Installation(settings) is { } installation ? $"sensor-agent-{installation}-{options.DeviceId}" : $"sensor-agent-{options.DeviceId}", "sensor-agent");
        options.CertificatePort = settings.WholeNumber("MQTT_CERTIFICATE_PORT", options.Mqtt.Tls is null ? 0 : options.Mqtt.Port, 0, 65_535,
            "TLS port of the broker whose certificate's expiry is watched; 0 for none. Without it MQTT_PORT if MQTT_TLS is true, else 0.");
        var status = Topics.Status(options.DeviceId);
        options.Mqtt.Birth = new MqttAnnouncement { Topic = status, Payload = "online"u8.ToArray() };
        options.Mqtt.Will = new MqttAnnouncement { Topic = status, Payload = Offline };
        // The outbox knows what is not acknowledged; a session at the broker would only hold a second opinion.
        options.Mqtt.CleanStart = true;
        options.Mqtt.SessionExpiry = TimeSpan.Zero;
        return options;
    }

    /// <summary>Payload of the status topic when the agent is not there.</summary>
    public static ReadOnlyMemory<byte> Offline { get; } = "offline"u8.ToArray();

    /// <summary>
    /// A JSON object of settings, named by <c>--config</c> or CONFIG_FILE, below the environment: <c>{"BATCH_SIZE": 20, "SIMULATE":
    /// true}</c>. Keys that no setting has (those of the original's snowflake_config.json) are left alone.
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
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ConfigurationException([$"CONFIG_FILE is '{path}', which is not a JSON object; write settings as {{\"BATCH_SIZE\": 20}}."]);
            sources.AddInMemoryCollection(document.RootElement.EnumerateObject()
                .Where(property => property.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null))
                .Select(property => KeyValuePair.Create<string, string?>(property.Name, property.Value.ToString())).ToList());
        }
        catch (JsonException e)
        {
            throw new ConfigurationException([$"CONFIG_FILE is '{path}', which is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine}); correct it there."]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"CONFIG_FILE is '{path}', which cannot be read ({Settings.Reason(e)}); correct the path or the file's permissions."]);
        }
    }

    static int? ReadSeed(Settings settings)
    {
        if (settings.OptionalText("SEED", "Whole number that makes simulation and fleet repeatable; else they differ at each start.") is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed))
            return seed;
        settings.Problem($"SEED is '{text}'; it must be a whole number, {int.MinValue} to {int.MaxValue}.");
        return null;
    }
}
