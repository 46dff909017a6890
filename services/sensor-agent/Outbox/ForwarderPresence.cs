using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Whether a forwarder is taking readings of a kind now. Each slot of a forwarder announces itself every few seconds on
/// <see cref="Topics.Forwarders"/>, as long as its intake works. While none does, the agent keeps its readings in the outbox: at the broker
/// they would occupy memory, be written again at each save, and be dropped silently when the queue is full. The broker's "no matching
/// subscribers" is not enough: any other subscription hides it, and the session of a forwarder that is away counts as a subscriber.
/// </summary>
/// <remarks>
/// Only announcements on the present connection count. A forwarder is required if the settings say so, as in this project's Compose file,
/// or once one has ever been heard, which a file beside the outbox records. Otherwise (a broker whose readers are not these forwarders) the
/// agent publishes as long as the broker has a subscriber. Thread-safe.
/// </remarks>
sealed class ForwarderPresence
{
    /// <summary>
    /// After this long without an announcement, no forwarder takes readings. Four times the interval of the announcements.
    /// </summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    static readonly ReadingKind[] kinds = [ReadingKind.Thermal, ReadingKind.Inverter];

    readonly TimeProvider clock;
    readonly Lock gate = new();
    readonly Dictionary<ReadingKind, Heard> heard = [];

    public ForwarderPresence(AgentOptions options, TimeProvider clock)
    {
        this.clock = clock;
        foreach (var kind in kinds)
        {
            var file = Path.Combine(options.DataDirectory, "outbox", $"forwarder-{Topics.Name(kind)}");
            var isRemembered = File.Exists(file);
            heard[kind] = new Heard
            {
                File = file,
                IsRequired = options.ForwarderRequired || isRemembered,
                IsRemembered = isRemembered,
            };
        }
    }

    /// <summary>The topics that the client must subscribe to.</summary>
    public IReadOnlyList<MqttSubscription> Subscriptions { get; } =
    [.. kinds.Select(kind => new MqttSubscription(Topics.Forwarders(kind), MqttQos.AtMostOnce))];

    /// <summary>Handles announcements of forwarders; ignores other messages.</summary>
    public void Hear(in MqttMessage message)
    {
        foreach (var kind in kinds)
        {
            if (message.Topic == Topics.Forwarders(kind) && !message.Retain)
                Hear(kind, message.Generation);
        }
    }

    /// <summary>Null if readings of the outbox's kind may be published now; otherwise why not, for a person.</summary>
    public string? Absence(MqttClient client, Outbox outbox)
    {
        lock (gate)
        {
            return IsAway(heard[outbox.Kind], client.State.Generation)
                ? $"no forwarder announces that it takes {Topics.Name(outbox.Kind)} readings: {outbox.Backlog} readings wait here. "
                    + (
                        outbox.Kind == ReadingKind.Inverter
                            ? "Start the s3-forwarder and look at its /readyz, or set INVERTERS_NUM=0."
                            : "Start the snowpipe-forwarder and look at its /readyz."
                    )
                : null;
        }
    }

    /// <summary>Waits for a forwarder that is away, but no longer than <see cref="Silence"/>.</summary>
    public async Task WaitAsync(MqttClient client, ReadingKind kind, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!IsAway(heard[kind], client.State.Generation))
                return;
        }
        await PauseAsync(kind, Silence, cancellationToken);
    }

    /// <summary>Waits for that time, or until a forwarder announces itself.</summary>
    public async Task PauseAsync(ReadingKind kind, TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task said;
        lock (gate)
            said = heard[kind].Next.Task;
        try
        {
            await said.WaitAsync(atMost, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            // No forwarder announced itself.
        }
    }

    void Hear(ReadingKind kind, long generation)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            var entry = heard[kind];
            (entry.Generation, entry.At) = (generation, clock.GetTimestamp());
            if (!entry.IsRemembered)
            {
                (entry.IsRequired, entry.IsRemembered) = (true, true);
                Remember(entry.File);
            }
            waiting = entry.Next;
            entry.Next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        waiting.TrySetResult();
    }

    static void Remember(string file)
    {
        try
        {
            File.WriteAllBytes(file, []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // This process knows; the next one will hear a forwarder again.
        }
    }

    bool IsAway(Heard entry, long generation) =>
        entry.IsRequired && (entry.Generation != generation || clock.GetElapsedTime(entry.At) > Silence);

    sealed class Heard
    {
        public required string File { get; init; }

        public bool IsRequired { get; set; }

        public bool IsRemembered { get; set; }

        public long Generation { get; set; }

        public long At { get; set; }

        public TaskCompletionSource Next { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
