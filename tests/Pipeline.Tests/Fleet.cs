using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// Some devices that publish numbered readings of both kinds, in turn as protobuf and as JSON, until told to stop, and are as careful as
/// the sensor-agent: what was not acknowledged is sent again with the same identity, and so is, after a connection loss, what the broker
/// acknowledged within its save interval before.
/// </summary>
sealed class Fleet : IAsyncDisposable
{
    /// <summary>Longer than the broker's autosave_interval of 10 s.</summary>
    static readonly TimeSpan replayWindow = TimeSpan.FromSeconds(16);

    static readonly TimeProvider clock = TimeProvider.System;
    static int fleets;

    readonly Numbered[] devices;
    readonly MqttClient client;
    readonly CancellationTokenSource stopPublishing = new();
    readonly CancellationTokenSource stopClient = new();
    readonly Lock gate = new();
    readonly LinkedList<Sent> notSettled = [];
    readonly List<Task> sending = [];
    readonly int readingsPerMessage;
    readonly IReadOnlyList<ReadingKind> kinds;
    readonly Dictionary<ReadingKind, long> last = new() { [ReadingKind.Thermal] = 0, [ReadingKind.Inverter] = 0 };
    readonly Task running;
    readonly Task publishing;
    long messages;
    long again;
    long connectedAt;

    Fleet(
        PipelineProject project,
        FleetLogin login,
        int count,
        int messagesPerSecond,
        int readingsPerMessage,
        DateTimeOffset startedAt,
        IReadOnlyList<ReadingKind> kinds
    )
    {
        Name = login.Name;
        this.readingsPerMessage = readingsPerMessage;
        this.kinds = kinds;
        var start = new DateTimeOffset(startedAt.UtcTicks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
        devices =
        [
            .. Enumerable
                .Range(1, count)
                .Select(device => new Numbered(
                    login.IsDevice ? Name : $"{Name}-{device}",
                    Guid.NewGuid().ToString("N"),
                    start,
                    TimeSpan.FromMilliseconds(7)
                )),
        ];
        client = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = project.MqttPort,
                ClientId = Name,
                UserName = login.User,
                Password = login.Password,
                PasswordFile = login.PasswordFile,
                CleanStart = true,
                SessionExpiry = TimeSpan.Zero,
                KeepAlive = TimeSpan.FromSeconds(5),
                MaximumReconnectDelay = TimeSpan.FromSeconds(2),
            },
            clock,
            NullLogger.Instance
        );
        client.ConnectionChanged += OnConnectionChanged;
        running = client.RunAsync(stopClient.Token);
        publishing = PublishAsync(messagesPerSecond);
    }

    /// <summary>What the names of its devices begin with; no other fleet's do.</summary>
    public string Name { get; }

    public IReadOnlyList<Numbered> Devices => devices;

    /// <summary>Readings given out so far, per device, of one kind.</summary>
    public long Last(ReadingKind kind)
    {
        lock (gate)
            return last[kind];
    }

    /// <summary>Readings of all devices and kinds given out so far.</summary>
    public long Published
    {
        get
        {
            lock (gate)
                return last.Values.Sum() * devices.Length;
        }
    }

    /// <summary>Messages sent, and how many of them were sent again.</summary>
    public (long Messages, long Again) Sent => (Interlocked.Read(ref messages), Interlocked.Read(ref again));

    /// <summary>Begins to publish.</summary>
    /// <param name="project">Where to.</param>
    /// <param name="name">For the names of the devices.</param>
    /// <param name="count">How many devices.</param>
    /// <param name="messagesPerSecond">Of each device and kind.</param>
    /// <param name="readingsPerMessage">Of each message.</param>
    /// <param name="startedAt">Time of the first reading; now unless set.</param>
    /// <param name="kinds">Both unless set.</param>
    public static Fleet Publish(
        PipelineProject project,
        string name,
        int count = 2,
        int messagesPerSecond = 10,
        int readingsPerMessage = 5,
        DateTimeOffset? startedAt = null,
        params IReadOnlyList<ReadingKind> kinds
    )
    {
        var number = Interlocked.Increment(ref fleets);
        // A user is one connection: publisher/2 to publisher/15 are for fleets, and few run at a time.
        var login = new FleetLogin(
            string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"),
            string.Create(CultureInfo.InvariantCulture, $"publisher/{2 + number % 14}"),
            project.PublisherPassword
        );
        return new(
            project,
            login,
            count,
            messagesPerSecond,
            readingsPerMessage,
            startedAt ?? clock.GetUtcNow(),
            kinds.Count > 0 ? kinds : [ReadingKind.Thermal, ReadingKind.Inverter]
        );
    }

    /// <summary>Begins to publish both kinds as a device with a user of its own, ten messages of five readings a second.</summary>
    /// <param name="project">Where to.</param>
    /// <param name="device">Name of the device and of its user.</param>
    /// <param name="passwordFile">Its password, which may change: it is read for each connection.</param>
    public static Fleet PublishAs(PipelineProject project, string device, string passwordFile) =>
        new(
            project,
            new FleetLogin(device, device, null, passwordFile),
            1,
            10,
            5,
            clock.GetUtcNow(),
            [ReadingKind.Thermal, ReadingKind.Inverter]
        );

    /// <summary>Waits until every device has given out so many more readings of each of its kinds.</summary>
    public Task MoreAsync(int readings)
    {
        var goal = Published + (long)readings * devices.Length * kinds.Count;
        return Until.TrueAsync(
            $"{Name} has published {readings} more readings",
            TimeSpan.FromMinutes(2),
            () => Task.FromResult(Published >= goal)
        );
    }

    /// <summary>Publishes nothing new any more, and waits until the broker has acknowledged everything, repeats included.</summary>
    public async Task StopAsync()
    {
        await stopPublishing.CancelAsync();
        await publishing;
        await Until.TrueAsync(
            $"the broker has acknowledged everything of {Name}",
            TimeSpan.FromSeconds(90),
            () =>
            {
                lock (gate)
                {
                    sending.RemoveAll(task => task.IsCompleted);
                    return Task.FromResult(sending.Count == 0 && client.State.IsConnected);
                }
            },
            () => $"{client.PendingPublishes} messages are pending; {client.State.LastError}"
        );
    }

    /// <summary>After <see cref="StopAsync"/>: what was acknowledged is not published again, as when the replay window has passed.</summary>
    public void Settle()
    {
        lock (gate)
            notSettled.Clear();
    }

    /// <summary>
    /// Publishes something of its own making on a topic of its first device, or of another; ends with the broker's acknowledgement.
    /// </summary>
    public Task PublishRawAsync(ReadingKind kind, byte[] payload, string? contentType, string? device = null) =>
        client.PublishAsync(Topics.Readings(device ?? devices[0].Device, kind), payload, MqttQos.AtLeastOnce, contentType: contentType);

    public async ValueTask DisposeAsync()
    {
        await stopPublishing.CancelAsync();
        await stopClient.CancelAsync();
        await running;
        await publishing;
        await client.DisposeAsync();
        stopPublishing.Dispose();
        stopClient.Dispose();
    }

    async Task PublishAsync(int messagesPerSecond)
    {
        var started = clock.GetTimestamp();
        for (var round = 1L; !stopPublishing.IsCancellationRequested; round++)
        {
            foreach (var kind in kinds)
            {
                var first = Last(kind) + 1;
                foreach (var device in devices)
                {
                    var json = (round + first) % 2 == 0;
                    var payload = json ? device.Json(kind, first, readingsPerMessage) : device.Protobuf(kind, first, readingsPerMessage);
                    Send(
                        new Sent(
                            Topics.Readings(device.Device, kind),
                            payload,
                            json ? Payload.JsonContentType : Payload.ProtobufContentType
                        )
                    );
                }
                lock (gate)
                    last[kind] += readingsPerMessage;
            }
            lock (gate)
                sending.RemoveAll(task => task.IsCompleted);
            var ahead = TimeSpan.FromSeconds((double)round / messagesPerSecond) - clock.GetElapsedTime(started);
            if (ahead > TimeSpan.Zero)
                await Task.Delay(ahead, clock, stopPublishing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    void Send(Sent message)
    {
        Interlocked.Increment(ref messages);
        lock (gate)
            sending.Add(SendAsync(message));
    }

    async Task SendAsync(Sent message)
    {
        try
        {
            // A broker that has forgotten its sessions acknowledges what it throws away, but says that there was nobody.
            while (
                await client.PublishAsync(message.Topic, message.Payload, MqttQos.AtLeastOnce, contentType: message.ContentType)
                == MqttReasonCode.NoMatchingSubscribers
            )
                await Task.Delay(TimeSpan.FromMilliseconds(300), clock, stopClient.Token);
        }
        catch (Exception e) when (e is MqttException or OperationCanceledException && stopClient.IsCancellationRequested)
        {
            return;
        }
        lock (gate)
        {
            var now = clock.GetTimestamp();
            notSettled.AddLast(message with { AcknowledgedAt = now });
            // Settled is what the broker has had time to save since, on a connection that lasted.
            while (
                notSettled.First is { } oldest
                && connectedAt > 0
                && clock.GetElapsedTime(Math.Max(oldest.Value.AcknowledgedAt, connectedAt), now) > replayWindow
            )
                notSettled.RemoveFirst();
        }
    }

    void OnConnectionChanged(MqttConnectionState state)
    {
        Sent[] repeats;
        lock (gate)
        {
            var wasConnected = connectedAt > 0;
            if (!state.IsConnected)
                connectedAt = 0;
            if (!state.IsConnected || wasConnected)
                return;
            connectedAt = clock.GetTimestamp();
            repeats = [.. notSettled];
            notSettled.Clear();
        }
        Interlocked.Add(ref again, repeats.Length);
        foreach (var message in repeats)
            Send(message);
    }
}

/// <summary>A message and, once it is, when it was acknowledged.</summary>
sealed record Sent(string Topic, byte[] Payload, string ContentType, long AcknowledgedAt = 0);
