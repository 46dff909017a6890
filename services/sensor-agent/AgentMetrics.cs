using System.Diagnostics.Metrics;
using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's figures, for <c>/metrics</c> and <c>/status</c>. Thread-safe.</summary>
sealed class AgentMetrics
{
    readonly Counter<long> taken;
    readonly Counter<long> published;
    readonly Counter<long> replayed;
    readonly Counter<long> replaySkipped;
    readonly RequestMetrics requests;
    readonly Meter meter;
    readonly StatusPage page;
    long takenTotal;
    long inverterTotal;
    long publishedTotal;

    public AgentMetrics(Meter meter, StatusPage page, RequestMetrics requests)
    {
        this.meter = meter;
        this.page = page;
        this.requests = requests;
        taken = meter.CreateCounter<long>("thermal.agent.readings.taken", "{reading}", "Readings taken since the start.");
        published = meter.CreateCounter<long>(
            "thermal.agent.readings.published",
            "{reading}",
            "Readings the broker has acknowledged, repeats left out."
        );
        replayed = meter.CreateCounter<long>(
            "thermal.agent.readings.replayed",
            "{reading}",
            "Readings acknowledged that were marked as replayed: late, or repeated after a connection loss."
        );
        replaySkipped = meter.CreateCounter<long>(
            "thermal.agent.replay.skipped",
            "{line}",
            "Lines of a replayed file that were skipped because they are not readings."
        );
        // An alert on an increase needs the series to exist before the first event.
        foreach (var counter in new[] { taken, published, replayed, replaySkipped })
        foreach (var kind in Enum.GetValues<ReadingKind>())
            counter.Add(0, Tag(kind));
        page.Add(json =>
        {
            json.WriteNumber("readings_taken"u8, TakenTotal);
            // ./up waits for inverter readings only while some are taken: not at night, nor after the end of a recording.
            json.WriteNumber("inverter_readings_taken"u8, InverterTotal);
            json.WriteNumber("readings_published"u8, PublishedTotal);
        });
    }

    /// <summary>Readings taken since the start.</summary>
    public long TakenTotal => Volatile.Read(ref takenTotal);

    /// <summary>How many of those are readings of inverters.</summary>
    public long InverterTotal => Volatile.Read(ref inverterTotal);

    /// <summary>Readings that the broker has acknowledged since the start, without repeats.</summary>
    public long PublishedTotal => Volatile.Read(ref publishedTotal);

    public void Taken(ReadingKind kind, int count)
    {
        Interlocked.Add(ref takenTotal, count);
        if (kind == ReadingKind.Inverter)
            Interlocked.Add(ref inverterTotal, count);
        taken.Add(count, Tag(kind));
    }

    /// <summary>A line of a replayed file was not a reading.</summary>
    public void ReplaySkipped(ReadingKind kind) => replaySkipped.Add(1, Tag(kind));

    /// <param name="kind">Kind of its readings.</param>
    /// <param name="count">Readings in it.</param>
    /// <param name="wasReplayed">Whether the batch was marked as replayed.</param>
    /// <param name="isFirst">Whether this is its first acknowledgement, as far as this process knows.</param>
    public void Published(ReadingKind kind, int count, bool wasReplayed, bool isFirst)
    {
        var tag = Tag(kind);
        if (isFirst)
        {
            Interlocked.Add(ref publishedTotal, count);
            published.Add(count, tag);
        }
        if (wasReplayed)
            replayed.Add(count, tag);
    }

    /// <summary>The broker has answered a batch.</summary>
    /// <param name="reason">Its answer. Reason codes that MQTT does not define count as one.</param>
    /// <param name="took">From publishing to the answer.</param>
    public void Answered(MqttReasonCode reason, TimeSpan took) =>
        requests.Record("publish", Enum.IsDefined(reason) ? JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()) : "other", took);

    static KeyValuePair<string, object?> Tag(ReadingKind kind) => new("kind", Topics.Name(kind));

    /// <summary>Publishes metrics of the outboxes, their volume and the connection.</summary>
    public void Observe(IReadOnlyList<Outbox> outboxes, string dataDirectory, Func<long> reconnects)
    {
        DataVolume.Publish(meter, dataDirectory);
        page.Add(json => json.WriteNumber("backlog"u8, outboxes.Sum(outbox => outbox.Backlog)));
        meter.CreateObservableGauge(
            "thermal.agent.outbox.backlog",
            () => Measure(outbox => outbox.Backlog),
            "{reading}",
            "Readings in the outbox that the broker has not acknowledged."
        );
        meter.CreateObservableGauge(
            "thermal.agent.outbox.size",
            () => Measure(outbox => outbox.Journal.SizeBytes),
            "By",
            "Bytes of the outbox on disk, the replay window included."
        );
        meter.CreateObservableGauge(
            "thermal.agent.outbox.oldest.age",
            () => outboxes.Select(outbox => new Measurement<double>(outbox.OldestAge.TotalSeconds, Tag(outbox))),
            "s",
            "Age of the oldest reading that the broker has not acknowledged; 0 if there is none."
        );
        meter.CreateObservableCounter(
            "thermal.agent.outbox.fsyncs",
            () => Measure(outbox => outbox.Journal.Flushes),
            "{fsync}",
            "fsync calls of the outbox."
        );
        meter.CreateObservableCounter(
            "thermal.agent.outbox.written",
            () => Measure(outbox => outbox.Journal.BytesWritten),
            "By",
            "Bytes the outbox has written to disk."
        );
        meter.CreateObservableCounter("thermal.agent.mqtt.reconnects", reconnects, "{connection}", "Connections made after the first.");

        IEnumerable<Measurement<long>> Measure(Func<Outbox, long> value) =>
            outboxes.Where(outbox => outbox.IsOpen).Select(outbox => new Measurement<long>(value(outbox), Tag(outbox)));

        static KeyValuePair<string, object?> Tag(Outbox outbox) => new("kind", Topics.Name(outbox.Kind));
    }

    /// <summary>Publishes metrics of the machine. Values that the machine does not report are absent.</summary>
    public void Observe(SystemMetrics system)
    {
        meter.CreateObservableGauge(
            "thermal.agent.machine.undervoltage",
            () => Some(system.Last.UnderVoltage is { } isUnder ? (isUnder ? 1 : 0) : (double?)null),
            null,
            "1 while a Raspberry Pi's supply is below 4.63 V, else 0."
        );
        meter.CreateObservableGauge(
            "thermal.agent.machine.throttled",
            () => Some(system.Last.Throttled),
            null,
            "Why a Raspberry Pi's processor is slowed: bits of vcgencmd get_throttled, 0 when it is not."
        );
        meter.CreateObservableGauge(
            "thermal.agent.machine.load",
            () => Some(system.Last.LoadAverage),
            null,
            "Tasks of the machine that ran or were ready to run, averaged over a minute."
        );
        meter.CreateObservableGauge(
            "thermal.agent.machine.uptime",
            () => Some(system.Last.Uptime > TimeSpan.Zero ? system.Last.Uptime.TotalSeconds : null),
            "s",
            "Time since the machine started."
        );

        static IEnumerable<Measurement<double>> Some(double? value) => value is { } number ? [new Measurement<double>(number)] : [];
    }

    /// <summary>Publishes the state of the machine's clock.</summary>
    public void Observe(ReadingClock readingClock)
    {
        meter.CreateObservableGauge(
            "thermal.agent.clock.synchronised",
            () =>
                readingClock.State is not ClockSynchronisation.Unknown and var state
                    ? [new Measurement<int>(state == ClockSynchronisation.Synchronised ? 1 : 0)]
                    : (IEnumerable<Measurement<int>>)[],
            null,
            "1 while the machine's clock is synchronised, else 0; absent when the kernel does not say."
        );
        meter.CreateObservableGauge(
            "thermal.agent.clock.offset",
            () => Deviation(deviation => deviation.Offset),
            "s",
            "How much the machine's clock is behind the one that it follows, as its NTP client tells the kernel; absent while it follows none."
        );
        meter.CreateObservableGauge(
            "thermal.agent.clock.max_error",
            () => Deviation(deviation => deviation.MaxError),
            "s",
            "The largest error of the machine's clock, as its NTP client tells the kernel; absent while it follows none."
        );
        meter.CreateObservableCounter(
            "thermal.agent.clock.steps",
            () => readingClock.Steps,
            "{step}",
            "Steps of the machine's clock that were noticed."
        );
        page.Add(json =>
        {
            json.WriteString("clock"u8, readingClock.State.ToString());
            json.WriteNumber("clock_steps"u8, readingClock.Steps);
        });

        IEnumerable<Measurement<double>> Deviation(Func<(TimeSpan Offset, TimeSpan MaxError), TimeSpan> value) =>
            readingClock.Deviation is { } deviation ? [new(value(deviation).TotalSeconds)] : [];
    }

    /// <summary>Publishes how often each sensor failed.</summary>
    public void Observe(SimulatedEnvironment environment) =>
        meter.CreateObservableCounter(
            "thermal.agent.sensor.failures",
            () =>
                environment.Sensors.Select(sensor => new Measurement<long>(
                    sensor.Failures,
                    new KeyValuePair<string, object?>("sensor", sensor.Name)
                )),
            "{measurement}",
            "Measurements that a sensor did not deliver."
        );

    /// <summary>Publishes what each detected sensor has delivered.</summary>
    public void Observe(HardwareSensors hardware)
    {
        meter.CreateObservableCounter(
            "thermal.agent.sensor.reads",
            () => Measure(sensor => sensor.Reads),
            "{measurement}",
            "Measurements that a sensor delivered."
        );
        meter.CreateObservableCounter(
            "thermal.agent.sensor.failures",
            () => Measure(sensor => sensor.Errors),
            "{measurement}",
            "Measurements that a sensor did not deliver."
        );
        meter.CreateObservableCounter(
            "thermal.agent.sensor.flagged",
            () => Found().SelectMany(sensor => new[] { Flag(sensor, "stuck", sensor.Stuck), Flag(sensor, "jump", sensor.Jumps) }),
            "{measurement}",
            "Measurements that were odd, by flag: the sensor repeats itself (stuck), or changes faster than air (jump)."
        );
        meter.CreateObservableGauge(
            "thermal.agent.sensor.working",
            () => Measure(sensor => sensor.State == SensorState.Working ? 1 : 0),
            null,
            "1 while a sensor that was found delivers, else 0."
        );
        meter.CreateObservableGauge(
            "thermal.agent.sensor.age",
            () =>
                Found()
                    .Where(sensor => sensor.Age is not null)
                    .Select(sensor => new Measurement<double>(sensor.Age!.Value.TotalSeconds, Tag(sensor))),
            "s",
            "Age of a sensor's newest measurement."
        );
        page.Add(hardware.WriteStatus);

        IEnumerable<SensorStatus> Found() => hardware.Sensors.Where(sensor => sensor.Description.Length > 0);

        IEnumerable<Measurement<long>> Measure(Func<SensorStatus, long> value) =>
            Found().Select(sensor => new Measurement<long>(value(sensor), Tag(sensor)));

        static KeyValuePair<string, object?> Tag(SensorStatus sensor) => new("sensor", sensor.Id);

        static Measurement<long> Flag(SensorStatus sensor, string flag, long count) =>
            new(count, Tag(sensor), new KeyValuePair<string, object?>("flag", flag));
    }
}
