using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary>The console's settings.</summary>
sealed class ConsoleOptions
{
    /// <summary>A lost or frozen broker is noticed within this plus an eighth: the page must be right within five seconds.</summary>
    static readonly TimeSpan keepAlive = TimeSpan.FromSeconds(3);

    static readonly TimeSpan longestReconnectPause = TimeSpan.FromSeconds(2);

    /// <summary>Larger messages are a backlog of thousands of readings. They are no use to a page and would take its memory.</summary>
    const int LargestMessage = 1024 * 1024;

    /// <summary>How to reach the broker: a session that ends with the connection, so that the broker keeps nothing for the page.</summary>
    public required MqttOptions Mqtt { get; init; }

    /// <summary>Port of the page; 0: any free one, for tests.</summary>
    public required int PagePort { get; init; }

    /// <summary>Names under which browsers may ask for the page, lower case, besides this machine's own.</summary>
    public required IReadOnlyList<string> Hosts { get; init; }

    /// <summary>The agents and forwarders to ask.</summary>
    public required IReadOnlyList<Target> Targets { get; init; }

    /// <summary>How to call them; each target has its own port.</summary>
    public required ControlOptions Calls { get; init; }

    /// <summary>Directory of the last 24 hours.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>How often the history is written, and how much of it a crash may lose.</summary>
    public required TimeSpan HistoryInterval { get; init; }

    public static ConsoleOptions Load(Settings settings, string name)
    {
        var mqtt = MqttSettings.Load(settings, name, name, keepAlive);
        mqtt.CleanStart = true;
        mqtt.SessionExpiry = TimeSpan.Zero;
        mqtt.MaximumReconnectDelay = longestReconnectPause;
        mqtt.MaximumPacketSize = LargestMessage;
        mqtt.Subscriptions =
        [
            new MqttSubscription(Topics.Filter(ReadingKind.Thermal), MqttQos.AtMostOnce),
            new MqttSubscription(Topics.Filter(ReadingKind.Inverter), MqttQos.AtMostOnce),
        ];
        return new ConsoleOptions
        {
            Mqtt = mqtt,
            PagePort = settings.WholeNumber("CONSOLE_PORT", 8088, 0, 65_535, "Port of the page."),
            Hosts =
            [
                .. settings
                    .Text("CONSOLE_HOSTS", "", "Further names by which browsers reach the page, separated by commas.")
                    .ToLowerInvariant()
                    .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            ],
            Targets =
            [
                .. Target.Load(settings, "CONSOLE_AGENTS", "sensor-agent", ServiceKind.Agent),
                .. Target.Load(settings, "CONSOLE_SNOWPIPE_FORWARDERS", "snowpipe-forwarder", ServiceKind.Forwarder),
                .. Target.Load(settings, "CONSOLE_S3_FORWARDERS", "s3-forwarder", ServiceKind.Forwarder),
            ],
            Calls = ServiceTrust.Load(settings),
            DataDirectory = settings.Text("DATA_DIRECTORY", "/data", "Where the last 24 hours are kept."),
            HistoryInterval = settings.Duration(
                "CONSOLE_HISTORY_INTERVAL",
                TimeSpan.FromMinutes(10),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromHours(1),
                "How often the history is written; a crash loses at most this much of it."
            ),
        };
    }
}
