using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Shows the device in Home Assistant: describes it and its values, repeats its newest reading, and says that it is online. It describes
/// the device again after each connection, when Home Assistant has started, when the interval is changed, and when a value appears that the
/// device did not deliver before. These messages are copies; the readings go to the forwarders through the outbox, and nothing here delays
/// them.
/// </summary>
sealed partial class HomeAssistant(
    AgentOptions options,
    SamplingPlan plan,
    BrokerConnection broker,
    HomeAssistantPresence presence,
    ReadingFeed feed,
    TimeProvider clock,
    ILogger<HomeAssistant> logger
) : BackgroundService
{
    /// <summary>Updating more often is of no use to people.</summary>
    static readonly TimeSpan shortestInterval = TimeSpan.FromSeconds(5);

    /// <summary>Home Assistant takes a state only after it has read the description and subscribed.</summary>
    static readonly TimeSpan timeToSubscribe = TimeSpan.FromSeconds(1);

    readonly HashSet<HomeAssistantEntity> delivered = [];

    /// <summary>Time between two batches, from the configuration or as set at run time.</summary>
    TimeSpan Interval => plan.Current(ReadingKind.Thermal).Rate.Interval is var set && set > shortestInterval ? set : shortestInterval;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var lost = await broker.WaitAsync(stoppingToken);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(lost, stoppingToken);
                await ShowAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                // The connection was lost, or the agent is stopping.
            }
            catch (MqttException e)
            {
                // The connection logs its own loss. A broker that refuses these messages will refuse them again.
                LogRefused(e.Message);
                await Task.Delay(TimeSpan.FromMinutes(1), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Serves one connection.</summary>
    async Task ShowAsync(CancellationToken cancellationToken)
    {
        var mustDescribe = true;
        ThermalReading? shown = null;
        while (true)
        {
            var (started, changed) = (presence.NextStart, plan.Current(ReadingKind.Thermal).Changed);
            if (feed.Latest?.Reading is { } reading && (mustDescribe || !ReferenceEquals(reading, shown)))
            {
                foreach (var entity in HomeAssistantEntity.All)
                    mustDescribe |= entity.Value(reading) is not null && delivered.Add(entity);
                if (mustDescribe)
                    await DescribeAsync(cancellationToken);
                mustDescribe = false;
                await PublishAsync(Topics.Status(options.DeviceId), AgentOptions.Online, cancellationToken);
                await PublishAsync(
                    HomeAssistantTopics.State(options.DeviceId),
                    HomeAssistantMessages.State(reading, Shown()),
                    cancellationToken
                );
                shown = reading;
            }
            using var end = CancellationTokenSource.CreateLinkedTokenSource(changed, cancellationToken);
            var pause = Task.Delay(Interval, clock, end.Token);
            mustDescribe |= await Task.WhenAny(started, pause) == started || changed.IsCancellationRequested;
            await end.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    async Task DescribeAsync(CancellationToken cancellationToken)
    {
        var description = HomeAssistantMessages.Discovery(options.DeviceId, Shown(), Expiry());
        await PublishAsync(HomeAssistantTopics.Discovery(options.DeviceId), description, cancellationToken, MqttQos.AtLeastOnce);
        LogDescribed(delivered.Count);
        await Task.Delay(timeToSubscribe, clock, cancellationToken);
    }

    /// <summary>The delivered values in a fixed order.</summary>
    IEnumerable<HomeAssistantEntity> Shown() => HomeAssistantEntity.All.Where(delivered.Contains);

    /// <summary>
    /// Three times the interval, but at least a minute, so that one lost message or a busy machine does not blank the display.
    /// </summary>
    TimeSpan Expiry() => 3 * Interval > TimeSpan.FromMinutes(1) ? 3 * Interval : TimeSpan.FromMinutes(1);

    Task<MqttReasonCode> PublishAsync(
        string topic,
        ReadOnlyMemory<byte> payload,
        CancellationToken cancellationToken,
        MqttQos qos = MqttQos.AtMostOnce
    ) =>
        broker.Client.PublishAsync(
            topic,
            payload,
            qos,
            // States are not retained: after a restart Home Assistant would show an old one as new.
            retain: qos != MqttQos.AtMostOnce && broker.Client.State.RetainAvailable,
            cancellationToken: cancellationToken
        );

    [LoggerMessage(
        EventId = 60,
        Level = LogLevel.Information,
        Message = "Described this device and {Count} of its values to Home Assistant"
    )]
    partial void LogDescribed(int count);

    [LoggerMessage(
        EventId = 61,
        Level = LogLevel.Warning,
        Message = "Home Assistant does not see this device: {Problem} Run ./up once, which renews the broker's rules, or set HOME_ASSISTANT=false"
    )]
    partial void LogRefused(string problem);
}
