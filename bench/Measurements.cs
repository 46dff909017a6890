using System.Diagnostics;
using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>
/// The measurements. Rates are compared within a run; processor time is of the process and grows with nothing but its work.
/// </summary>
sealed class Measurements(string root, Results results, double share)
{
    const string Thermal = "thermal";
    const double MiB = 1024 * 1024;

    /// <summary>
    /// 100,000 rows/s are 86 MB/s before compression. A channel takes 20 MB/s, and of batches of 4.3 MB four in 1.05 s: 19,000 rows.
    /// </summary>
    const int SlotsForBatches = 6;

    /// <summary>A little more than the target: a sustained load is delivered as fast as it comes.</summary>
    const double SustainedMessagesPerSecond = 1_050;

    static readonly TimeSpan Ceiling = TimeSpan.FromMinutes(3);
    static readonly TimeProvider clock = TimeProvider.System;
    int seed;

    public IReadOnlyList<(string Name, Func<Task> Measure)> All =>
        [
            ("wire", WireAsync),
            ("start", StartAsync),
            ("idle", IdleAsync),
            ("default-rates", DefaultRatesAsync),
            ("single-protobuf", () => SingleAsync("protobuf", 9, kind => MessagePool.Protobuf(kind, 1, seed++))),
            ("single-json", () => SingleAsync("JSON", 10, kind => MessagePool.Json(kind, seed++))),
            ("peers", PeersAsync),
            ("batch", BatchAsync),
        ];

    public async Task ConditionsAsync()
    {
        foreach (var (name, value) in await Conditions.OfThisMachineAsync())
            results.Condition(name, value);
    }

    /// <summary>Bytes of request bodies per reading, in appends of exactly 100 and of exactly 10 readings.</summary>
    async Task WireAsync()
    {
        foreach (var (size, readings, target) in new[] { (100, 3000, 120), (10, 600, 170) })
        {
            await using var stand = await StandAsync();
            await using var forwarder = await stand.StartForwarderAsync(
                1,
                ("SNOWPIPE_BATCH_MAX_READINGS", $"{size}"),
                ("SNOWPIPE_BATCH_LINGER", "5s")
            );
            using var publisher = new Publisher(stand.BrokerPort);
            publisher.Publish(MessagePool.Protobuf(Thermal, 10, seed++), readings / 10);
            await forwarder.ReachAsync(status => status.Appended, readings, Ceiling);
            var status = await forwarder.StatusAsync();
            if (status.Batches != readings / size)
                throw new InvalidOperationException($"{readings} readings went in {status.Batches} appends, not in appends of {size}");
            results.AtMost($"wire: bytes per reading in batches of {size}", (double)status.BytesSent / readings, "B", target);
        }
    }

    /// <summary>
    /// From the start of the process to the first 200 of /readyz, and what a health check costs, which every container pays twice a minute.
    /// </summary>
    async Task StartAsync()
    {
        const int starts = 5,
            checks = 20;
        var ready = new List<double>();
        for (var start = 0; start < starts; start++)
        {
            // The session of an earlier forwarder would keep its share of the messages.
            await using var stand = await StandAsync();
            var started = clock.GetTimestamp();
            await using var forwarder = await stand.StartForwarderAsync(1);
            ready.Add(clock.GetElapsedTime(started).TotalMilliseconds);
            if (start < starts - 1)
                continue;
            var cpu = ProcessFigures.CpuSecondsOfEndedChildren;
            for (var check = 0; check < checks; check++)
                await stand.HealthcheckAsync(forwarder.Port);
            results.AtMost("healthcheck: processor", (ProcessFigures.CpuSecondsOfEndedChildren - cpu) * 1000 / checks, "ms", 15);
        }
        results.AtMost($"start: ready with an empty journal, best of {starts}", ready.Min(), "ms", 300);
    }

    /// <summary>A forwarder that has delivered a little and then has nothing to do.</summary>
    async Task IdleAsync()
    {
        await using var stand = await StandAsync();
        await using var forwarder = await stand.StartForwarderAsync(1);
        using var publisher = new Publisher(stand.BrokerPort);
        publisher.Publish(MessagePool.Protobuf(Thermal, 10, seed++), 10);
        await forwarder.ReachAsync(status => status.Committed, 100, Ceiling);
        // Ten seconds after its start, a service gives back what the start took (MemoryTrim).
        await Task.Delay(TimeSpan.FromSeconds(15), clock);
        results.Add("memory: private, idle", forwarder.Kernel.PrivateBytes / MiB, "MiB");
        results.AtMost("memory: resident, idle", forwarder.Kernel.ResidentBytes / MiB, "MiB", 20);
        var cpu = forwarder.Kernel.CpuSeconds;
        await Task.Delay(TimeSpan.FromSeconds(10), clock);
        results.Add("processor, idle", (forwarder.Kernel.CpuSeconds - cpu) * 100, "ms/s");
    }

    /// <summary>Ten readings in one message every so often, as one agent sends them: each is stored on its own.</summary>
    async Task DefaultRatesAsync()
    {
        const int batches = 30;
        await using var stand = await StandAsync();
        await using var forwarder = await stand.StartForwarderAsync(1);
        using var publisher = new Publisher(stand.BrokerPort);
        var pool = MessagePool.Protobuf(Thermal, 10, seed++);
        // The first message opens files.
        publisher.Publish(pool, 1);
        await forwarder.ReachAsync(status => status.Committed, 10, Ceiling);
        var (fsyncs, written) = (await forwarder.MetricAsync("thermal_forwarder_fsyncs_total"), forwarder.Kernel.BytesWritten);
        for (var batch = 1; batch <= batches; batch++)
        {
            publisher.Publish(pool, 1);
            await forwarder.ReachAsync(status => status.Stored, 10 * (batch + 1), Ceiling);
            await Task.Delay(TimeSpan.FromMilliseconds(500), clock);
        }
        results.AtMost(
            "disk: fsyncs per message of 10 readings, at default rates",
            (await forwarder.MetricAsync("thermal_forwarder_fsyncs_total") - fsyncs) / batches,
            "",
            1
        );
        results.Add(
            "disk: bytes written per message of 10 readings, at default rates",
            (double)(forwarder.Kernel.BytesWritten - written) / batches,
            "B"
        );
    }

    /// <summary>
    /// One reading per message: the forwarder against a subscriber that only acknowledges, by turns. While they are compared, the
    /// destination is away, so that both do nothing but their part between the broker and the disk; then everything is delivered, and
    /// counts into the processor time.
    /// </summary>
    async Task SingleAsync(string format, double processorTarget, Func<string, MessagePool> make)
    {
        await using var stand = await StandAsync();
        await using var forwarder = await stand.StartForwarderAsync(1);
        var subscriber = stand.StartSubscriber(AcknowledgingSubscriber.Name, AcknowledgingSubscriber.Kind);
        await ExpectAsync(subscriber, "ready");
        using var publisher = new Publisher(stand.BrokerPort);
        var load = new Load(forwarder, publisher);
        var acknowledged = 0L;
        var (pool, plainPool) = (make(Thermal), make(AcknowledgingSubscriber.Kind));
        var messages = (int)(100_000 * share);
        // Warms up both sides.
        await RunPlainAsync(30_000);
        await load.DeliverAsync(pool, 30_000, 1);
        await load.DeliverAsync(pool, 30_000, 1);

        var (cpu, stored) = (forwarder.Kernel.CpuSeconds, 0);
        await stand.SnowflakeGoesAwayAsync();
        var (plainRates, rates) = await RoundsAsync(() => load.StoreAsync(pool, messages, 1));
        stored += plainRates.Count * messages;
        await stand.SnowflakeIsBackAsync();
        await load.CatchUpAsync();
        cpu = forwarder.Kernel.CpuSeconds - cpu;

        var (plainBeside, beside) = await RoundsAsync(async () => (await load.DeliverAsync(pool, messages, 1)).Rate);

        var name = $"one reading per message, {format} of {pool.PayloadBytes:0} B";
        // What else the machine does only ever slows a round down: the best ones are the nearest to what each can do.
        results.Add($"{name}: only acknowledged", plainRates.Max(), "messages/s");
        results.Add($"{name}: in the journal", rates.Max(), "messages/s");
        results.AtLeast($"{name}: ratio", rates.Max() / plainRates.Max(), "", 0.95);
        results.Add($"{name}: ratio while delivering", beside.Max() / plainBeside.Max(), "");
        results.AtMost($"{name}: processor", cpu / stored * 1e6, "µs/reading", processorTarget);

        async Task<(List<double> Plain, List<double> Forwarder)> RoundsAsync(Func<Task<double>> runAsync)
        {
            var (plain, forwarded) = (new List<double>(), new List<double>());
            for (var round = 0; round < 5; round++)
            {
                plain.Add(await RunPlainAsync(messages));
                forwarded.Add(await runAsync());
            }
            return (plain, forwarded);
        }

        async Task<double> RunPlainAsync(int count)
        {
            var started = clock.GetTimestamp();
            acknowledged += count;
            await subscriber.StandardInput.WriteLineAsync(acknowledged.ToString(CultureInfo.InvariantCulture));
            publisher.Publish(plainPool, count);
            await ExpectAsync(subscriber, acknowledged.ToString(CultureInfo.InvariantCulture));
            return count / clock.GetElapsedTime(started).TotalSeconds;
        }
    }

    /// <summary>Others that take the same messages from the same broker.</summary>
    async Task PeersAsync()
    {
        await using var stand = new Stand(root);
        await stand.StartBrokerAsync();
        await new Peers(stand, results, share).MeasureAsync(kind => MessagePool.Protobuf(kind, 1, seed++));
    }

    /// <summary>A hundred readings per message, all the way into the emulator.</summary>
    async Task BatchAsync()
    {
        await using var stand = await StandAsync();
        await using var forwarder = await stand.StartForwarderAsync(SlotsForBatches);
        using var publisher = new Publisher(stand.BrokerPort);
        var load = new Load(forwarder, publisher);
        var pool = MessagePool.Protobuf(Thermal, 100, seed++);
        await load.DeliverAsync(pool, 3_000, 100);
        forwarder.Kernel.ResetPeak();
        var (written, journal) = (forwarder.Kernel.BytesWritten, await forwarder.MetricAsync("thermal_forwarder_disk_written_bytes_total"));
        var messages = (int)(40_000 * share);
        var figures = await load.DeliverAsync(pool, messages, 100, SustainedMessagesPerSecond);
        results.AtLeast("100 readings per message: into the emulator, sustained", figures.DeliveredRate, "readings/s", 100_000);
        results.AtMost("100 readings per message: processor", figures.CpuPerReading * 1e6, "µs/reading", 3.8);
        results.AtMost("memory: peak resident under that load", forwarder.Kernel.PeakResidentBytes / MiB, "MiB", 55);
        results.AtMost(
            "disk: bytes written per byte of payload under that load",
            (forwarder.Kernel.BytesWritten - written) / (messages * pool.PayloadBytes),
            "",
            1.3
        );
        results.Add(
            "disk: of which by the journals' own count",
            (await forwarder.MetricAsync("thermal_forwarder_disk_written_bytes_total") - journal) / (messages * pool.PayloadBytes),
            ""
        );
        results.Add("disk: fsyncs of the journals in that time", await forwarder.MetricAsync("thermal_forwarder_fsyncs_total"), "");
        forwarder.Kernel.ResetPeak();
        var flood = await load.DeliverAsync(pool, messages / 4, 100);
        results.Add("100 readings per message: into the journal, in a flood", flood.Rate, "readings/s");
        results.Add("memory: peak resident in that flood", forwarder.Kernel.PeakResidentBytes / MiB, "MiB");
    }

    /// <summary>That load for so long: what the memory does in the second half.</summary>
    public async Task SoakAsync(TimeSpan duration)
    {
        await using var stand = await StandAsync();
        await using var forwarder = await stand.StartForwarderAsync(SlotsForBatches);
        using var publisher = new Publisher(stand.BrokerPort);
        var load = new Load(forwarder, publisher);
        var pool = MessagePool.Protobuf(Thermal, 100, seed++);
        var (started, resident, delivered) = (clock.GetTimestamp(), new List<double>(), 0L);
        while (clock.GetElapsedTime(started) < duration)
        {
            await load.DeliverAsync(pool, 10_000, 100, SustainedMessagesPerSecond);
            delivered += 1_000_000;
            resident.Add(forwarder.Kernel.ResidentBytes / MiB);
        }
        var half = resident.Count / 2;
        results.Add(
            $"soak of {duration.TotalMinutes:0} min: into the emulator",
            delivered / clock.GetElapsedTime(started).TotalSeconds,
            "readings/s"
        );
        results.AtMost("soak: peak resident", forwarder.Kernel.PeakResidentBytes / MiB, "MiB", 55);
        // Noise of a collector is a few MiB either way.
        results.AtMost(
            "soak: growth of the largest resident set, second half over first",
            resident.Skip(half).Max() - resident.Take(half).Max(),
            "MiB",
            3
        );
    }

    async Task<Stand> StandAsync()
    {
        var stand = new Stand(root);
        try
        {
            await stand.StartBrokerAsync();
            await stand.StartEmulatorAsync();
            return stand;
        }
        catch
        {
            await stand.DisposeAsync();
            throw;
        }
    }

    static async Task ExpectAsync(Process process, string line)
    {
        using var ceiling = new CancellationTokenSource(Ceiling, clock);
        var said = await process.StandardOutput.ReadLineAsync(ceiling.Token);
        if (said != line)
            throw new InvalidOperationException($"the subscriber said '{said}' instead of '{line}'");
    }

    sealed class Load(RunningForwarder forwarder, Publisher publisher)
    {
        long readings;

        /// <summary>Publishes, and waits until everything is in the journal; returns readings per second.</summary>
        public async Task<double> StoreAsync(
            MessagePool pool,
            int messages,
            int readingsPerMessage,
            double messagesPerSecond = double.PositiveInfinity
        )
        {
            var count = (long)messages * readingsPerMessage;
            readings += count;
            var started = clock.GetTimestamp();
            var storing = forwarder.ReachAsync(status => status.Stored, readings, Ceiling);
            await Task.Run(() => publisher.Publish(pool, messages, messagesPerSecond));
            return count / clock.GetElapsedTime(started, await storing).TotalSeconds;
        }

        /// <summary>Waits until everything has been appended; returns when that was.</summary>
        public Task<long> CatchUpAsync() => forwarder.ReachAsync(status => status.Appended, readings, Ceiling);

        public async Task<(double Rate, double DeliveredRate, double CpuPerReading)> DeliverAsync(
            MessagePool pool,
            int messages,
            int readingsPerMessage,
            double messagesPerSecond = double.PositiveInfinity
        )
        {
            var count = (double)messages * readingsPerMessage;
            var (cpu, started) = (forwarder.Kernel.CpuSeconds, clock.GetTimestamp());
            var rate = await StoreAsync(pool, messages, readingsPerMessage, messagesPerSecond);
            var appended = await CatchUpAsync();
            return (rate, count / clock.GetElapsedTime(started, appended).TotalSeconds, (forwarder.Kernel.CpuSeconds - cpu) / count);
        }
    }
}
