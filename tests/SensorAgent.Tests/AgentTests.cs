using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>A real agent against a real broker, with what can go wrong.</summary>
public sealed class AgentTests : IDisposable
{
    readonly TempDirectory data = new();

    public void Dispose() => data.Dispose();

    static void AssertAllOnce(IEnumerable<ulong> sequences)
    {
        var got = sequences.ToList();
        Assert.Equal(Enumerable.Range(1, got.Count).Select(number => (ulong)number), got);
    }

    /// <summary>None missing, repeats allowed.</summary>
    static void AssertNoneMissing(IEnumerable<ulong> sequences)
    {
        var got = sequences.ToHashSet();
        Assert.NotEmpty(got);
        Assert.Equal((ulong)got.Count, got.Max());
    }

    [Fact]
    public async Task Publishes_both_kinds_numbered_from_1_with_real_metrics()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port);

        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 6 && c.Of(ReadingKind.Inverter).Count >= 3);

        var thermal = collector.Of(ReadingKind.Thermal);
        AssertAllOnce(collector.Sequences(ReadingKind.Thermal));
        AssertAllOnce(collector.Sequences(ReadingKind.Inverter));
        Assert.All(
            thermal,
            batch =>
            {
                Assert.Equal(("pi", 5), (batch.DeviceId, batch.Thermal.Count));
                Assert.Equal(Environment.MachineName, batch.Host.Hostname);
            }
        );
        Assert.Single(collector.Batches.Select(batch => batch.Batch.BootId).Distinct());
        Assert.Equal(32, thermal[0].BootId.Length);
        var readings = thermal.SelectMany(batch => batch.Thermal).ToList();
        Assert.Equal(readings.Count, readings.Select(reading => reading.Id).Distinct().Count());
        Assert.All(readings, reading => Assert.InRange(reading.MemoryPercent, 0.1, 99.9));
        Assert.Contains(readings, reading => reading.HasCpuPercent);
        // Spread over the interval, not taken all at once: after a stall of this machine some are, so not every batch can be asked.
        Assert.Contains(thermal.Skip(1), batch => batch.Thermal[^1].ObservedAtUs - batch.Thermal[0].ObservedAtUs > 20_000);
        Assert.True(readings[^1].ObservedAtUs - readings[0].ObservedAtUs > 20_000 * thermal.Count);
        Assert.All(
            collector.Of(ReadingKind.Inverter),
            batch => Assert.Equal(["Inverter_1", "Inverter_2", "Inverter_3"], batch.Inverters.Select(reading => reading.InverterId))
        );
        Assert.Equal("online", collector.Statuses[^1]);
    }

    [Fact]
    public async Task Without_simulation_the_environment_is_absent_and_the_metrics_are_real()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port, ("SOURCE", "auto"), ("INVERTERS_NUM", "0"), ("I2C_BUSES", "250"));

        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 2);

        Assert.All(
            collector.Of(ReadingKind.Thermal).SelectMany(batch => batch.Thermal),
            reading =>
            {
                Assert.False(
                    reading.HasTemperatureC
                        || reading.HasHumidityPercent
                        || reading.HasCo2Ppm
                        || reading.HasPressurePa
                        || reading.HasIcpTemperatureF
                        || reading.HasTvocPpb
                );
                Assert.True(reading.HasMemoryPercent && reading.HasDiskFreeMb);
            }
        );
        Assert.Empty(collector.Of(ReadingKind.Inverter));
        Assert.Contains("There is no /dev/i2c-250: environmental values stay empty", agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_taken_before_the_broker_could_be_reached_comes_later_in_order_and_marked()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();
        using var agent = new AgentProcess(data.Path, broker.Port);
        await agent.StatusAsync(status => status.GetProperty("readings_taken").GetInt64() >= 60);

        await broker.StartAgainAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        await collector.UntilAsync(c =>
            c.Of(ReadingKind.Thermal).Any(batch => !batch.Replayed) && c.Of(ReadingKind.Inverter).Any(batch => !batch.Replayed)
        );

        foreach (var kind in Enum.GetValues<ReadingKind>())
        {
            AssertAllOnce(collector.Sequences(kind));
            var marks = collector.Of(kind).Select(batch => batch.Replayed).ToList();
            Assert.True(marks[0]);
            // Late ones first, then new ones, not mixed.
            Assert.Equal(marks.OrderByDescending(mark => mark), marks);
        }
        await agent.StatusAsync(status => status.GetProperty("ready").GetBoolean());
    }

    [Fact]
    public async Task After_a_crash_of_the_broker_everything_in_the_window_is_published_again_in_order_and_marked()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port);
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 8);

        // So that some batches are on their way, not acknowledged, when it dies.
        broker.Freeze();
        var taken = (await agent.StatusAsync(_ => true)).GetProperty("readings_taken").GetInt64();
        await agent.StatusAsync(status => status.GetProperty("readings_taken").GetInt64() > taken + 40);
        broker.Kill();
        var before = collector.Of(ReadingKind.Thermal);
        await broker.StartAgainAsync();
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Skip(before.Count).Any(batch => !batch.Replayed));

        var after = collector.Of(ReadingKind.Thermal).Skip(before.Count).ToList();
        AssertAllOnce(after.SelectMany(Collector.Sequences));
        Assert.All(after.Take(before.Count), batch => Assert.True(batch.Replayed));
        // The same readings, to the byte but for the mark.
        for (var i = 0; i < before.Count; i++)
        {
            var repeated = after[i].Clone();
            repeated.Replayed = before[i].Replayed;
            Assert.Equal(before[i], repeated);
        }
        Assert.Contains("thermal_agent_mqtt_reconnects_total 1", await agent.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_outbox_that_cannot_be_read_for_a_while_is_read_later()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port, ("INVERTERS_NUM", "0"));
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 2);

        // In its place, what nobody can open; the agent writes to the file that it has open, and opens it anew for the next connection.
        var segment = Directory.GetFiles(Path.Combine(data.Path, "outbox", "thermal"), "*.segment").Single();
        File.Move(segment, data.File("aside"));
        File.CreateSymbolicLink(segment, segment);
        broker.Kill();
        await broker.StartAgainAsync();
        await agent.StatusAsync(status =>
            status.GetProperty("parts").TryGetProperty("reading thermal", out var part)
            && part.GetString()!.Contains("the outbox cannot be read", StringComparison.Ordinal)
        );
        var published = collector.Of(ReadingKind.Thermal).Count;
        File.Move(data.File("aside"), segment, overwrite: true);
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Skip(published).Any(batch => !batch.Replayed));

        AssertNoneMissing(collector.Sequences(ReadingKind.Thermal));
        await agent.StatusAsync(status => status.GetProperty("ready").GetBoolean());
        Assert.Equal(0, await agent.StopAsync());
    }

    [Fact]
    public async Task Kills_of_agent_and_broker_at_random_moments_lose_nothing()
    {
        var (random, seed) = Seed.Next();
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        AgentProcess Start() => new(data.Path, broker.Port, ("REPLAY_WINDOW", "1h"));
        var agent = Start();
        try
        {
            for (var kill = 0; kill < 6; kill++)
            {
                var batches = collector.Batches.Count + random.Next(1, 12);
                await collector.UntilAsync(c => c.Batches.Count >= batches);
                if (kill % 2 == 0)
                {
                    agent.Kill();
                    agent.Dispose();
                    agent = Start();
                }
                else
                {
                    broker.Kill();
                    await broker.StartAgainAsync();
                }
            }
            var boots = collector.Batches.Count;
            await collector.UntilAsync(c => c.Batches.Count > boots + 5);
            Assert.Equal(0, await agent.StopAsync());
        }
        finally
        {
            agent.Dispose();
        }

        foreach (var boot in collector.Batches.GroupBy(batch => (batch.Kind, batch.Batch.BootId)))
        {
            var sequences = boot.SelectMany(batch => Collector.Sequences(batch.Batch)).ToHashSet();
            Assert.True(
                (ulong)sequences.Count == sequences.Max(),
                $"seed {seed}: boot {boot.Key} has {sequences.Count} of {sequences.Max()} readings"
            );
        }
        Assert.Equal(4, collector.Batches.Select(batch => batch.Batch.BootId).Distinct().Count());
    }

    [Fact]
    public async Task A_restart_publishes_what_was_left_under_its_old_boot()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();
        using (var first = new AgentProcess(data.Path, broker.Port))
        {
            await first.StatusAsync(status => status.GetProperty("readings_taken").GetInt64() >= 30);
            first.Kill();
        }
        await broker.StartAgainAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var second = new AgentProcess(data.Path, broker.Port);
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Any(batch => !batch.Replayed));

        var boots = collector.Of(ReadingKind.Thermal).Select(batch => batch.BootId).Distinct().ToList();
        Assert.Equal(2, boots.Count);
        AssertAllOnce(collector.Sequences(ReadingKind.Thermal, boots[0]));
        AssertAllOnce(collector.Sequences(ReadingKind.Thermal, boots[1]));
        Assert.All(collector.Of(ReadingKind.Thermal).Where(batch => batch.BootId == boots[0]), batch => Assert.True(batch.Replayed));
    }

    [Fact]
    public async Task A_stop_publishes_the_readings_in_hand_and_says_offline()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(
            data.Path,
            broker.Port,
            ("BATCH_SIZE", "1000"),
            ("INTERVAL_SECONDS", "60s"),
            ("INVERTERS_NUM", "0")
        );
        await agent.StatusAsync(status =>
            status.GetProperty("readings_taken").GetInt64() >= 7 && status.GetProperty("mqtt").GetString() == "connected"
        );

        var code = await agent.StopAsync();

        Assert.True(code == 0, agent.Log);
        await collector.UntilAsync(c => c.Statuses.LastOrDefault() == "offline");
        Assert.InRange(Assert.Single(collector.Of(ReadingKind.Thermal)).Thermal.Count, 7, 999);
        AssertAllOnce(collector.Sequences(ReadingKind.Thermal));
        Assert.DoesNotContain("Unhandled", agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_without_a_broker_keeps_the_readings_in_hand_for_the_next_start()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();
        using (
            var agent = new AgentProcess(
                data.Path,
                broker.Port,
                ("BATCH_SIZE", "1000"),
                ("INTERVAL_SECONDS", "60s"),
                ("INVERTERS_NUM", "0")
            )
        )
        {
            await agent.StatusAsync(status => status.GetProperty("readings_taken").GetInt64() >= 7);
            Assert.Equal(0, await agent.StopAsync());
        }
        await broker.StartAgainAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var next = new AgentProcess(
            data.Path,
            broker.Port,
            ("BATCH_SIZE", "1000"),
            ("INTERVAL_SECONDS", "60s"),
            ("INVERTERS_NUM", "0")
        );
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 1);

        Assert.InRange(collector.Of(ReadingKind.Thermal)[0].Thermal.Count, 7, 999);
        Assert.True(collector.Of(ReadingKind.Thermal)[0].Replayed);
    }

    [Fact]
    public async Task What_nobody_subscribes_to_waits_and_the_agent_says_so()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = new AgentProcess(data.Path, broker.Port);
        var status = await agent.StatusAsync(status =>
            status.GetProperty("readings_taken").GetInt64() >= 40
            && !status.GetProperty("ready").GetBoolean()
            && status.GetProperty("parts").TryGetProperty("publishing thermal", out var part)
            && part.GetString() != "ok"
        );
        Assert.Contains(
            "nothing subscribes to telemetry/v1/+/thermal",
            status.GetProperty("parts").GetProperty("publishing thermal").GetString(),
            StringComparison.Ordinal
        );

        await using var collector = await Collector.StartAsync(broker.Port);
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 10);

        AssertAllOnce(collector.Sequences(ReadingKind.Thermal));
        await agent.StatusAsync(status => status.GetProperty("ready").GetBoolean());
    }

    [Fact]
    public async Task What_the_broker_refuses_waits_and_the_agent_says_what_to_do()
    {
        await using var broker = await MosquittoProcess.StartAsync(
            new BrokerSettings
            {
                Users = new Dictionary<string, string> { ["agent"] = "secret", ["reader"] = "secret" },
                Acl =
                [
                    "user agent",
                    "topic write telemetry/v1/+/thermal",
                    "topic write telemetry/v1/+/status",
                    "user reader",
                    "topic read telemetry/v1/#",
                ],
            }
        );
        await using var collector = await Collector.StartAsync(broker.Port, "reader");
        using var agent = new AgentProcess(data.Path, broker.Port, ("MQTT_USER", "agent"), ("MQTT_PASSWORD", "secret"));

        var status = await agent.StatusAsync(status =>
            status.GetProperty("parts").TryGetProperty("publishing inverter", out var part) && part.GetString() != "ok"
        );
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 3);

        Assert.Contains("ACL", status.GetProperty("parts").GetProperty("publishing inverter").GetString(), StringComparison.Ordinal);
        // The other kind is not held up.
        AssertAllOnce(collector.Sequences(ReadingKind.Thermal));
        Assert.Empty(collector.Of(ReadingKind.Inverter));
    }

    [Fact]
    public async Task A_full_outbox_stops_the_sampling_and_nothing_that_was_taken_is_lost()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();
        using var agent = new AgentProcess(
            data.Path,
            broker.Port,
            ("JOURNAL_MAX_BYTES", "64KiB"),
            ("JOURNAL_SEGMENT_BYTES", "8KiB"),
            ("BATCH_SIZE", "50"),
            ("INVERTERS_NUM", "0")
        );
        var full = await agent.StatusAsync(status =>
            status
                .GetProperty("parts")
                .GetProperty("outbox thermal")
                .GetString()!
                .Contains("sampling has stopped", StringComparison.Ordinal)
        );
        var taken = full.GetProperty("readings_taken").GetInt64();

        await broker.StartAgainAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        await collector.UntilAsync(c => c.Sequences(ReadingKind.Thermal).Count > taken + 200);

        AssertNoneMissing(collector.Sequences(ReadingKind.Thermal));
        await agent.StatusAsync(status => status.GetProperty("parts").GetProperty("outbox thermal").GetString() == "ok");
    }

    [Fact]
    public async Task A_stop_while_the_outbox_is_full_loses_nothing_that_was_taken()
    {
        (string, string)[] small =
        [
            ("JOURNAL_MAX_BYTES", "64KiB"),
            ("JOURNAL_SEGMENT_BYTES", "8KiB"),
            ("BATCH_SIZE", "50"),
            ("INVERTERS_NUM", "0"),
        ];
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();
        long taken;
        using (var agent = new AgentProcess(data.Path, broker.Port, small))
        {
            var full = await agent.StatusAsync(status =>
                status
                    .GetProperty("parts")
                    .GetProperty("outbox thermal")
                    .GetString()!
                    .Contains("sampling has stopped", StringComparison.Ordinal)
            );
            taken = full.GetProperty("readings_taken").GetInt64();
            Assert.Equal(0, await agent.StopAsync());
            Assert.DoesNotContain("are lost", agent.Log, StringComparison.Ordinal);
        }
        await broker.StartAgainAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        using var next = new AgentProcess(data.Path, broker.Port, small);
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Select(batch => batch.BootId).Distinct().Count() == 2);

        var boot = collector.Of(ReadingKind.Thermal)[0].BootId;
        AssertAllOnce(collector.Sequences(ReadingKind.Thermal, boot));
        Assert.Equal(taken, collector.Sequences(ReadingKind.Thermal, boot).Count);
    }

    [Fact]
    public async Task A_replay_goes_on_after_kills_and_every_line_is_one_reading()
    {
        const int lines = 600;
        var start = new DateTimeOffset(2026, 5, 1, 8, 0, 0, TimeSpan.Zero);
        await File.WriteAllLinesAsync(
            data.File("recorded.ndjson"),
            Enumerable.Range(1, lines).Select(i => $$"""{"co2": {{400 + i}}, "datetimestamp": "{{start.AddSeconds(i / 2.0):O}}"}""")
        );
        (string, string)[] settings =
        [
            ("SOURCE", "replay"),
            ("REPLAY_FILE", data.File("recorded.ndjson")),
            ("REPLAY_SPEED", "60"),
            ("INVERTERS_NUM", "0"),
        ];
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        foreach (var part in new[] { lines / 4, lines / 2 })
        {
            using var killed = new AgentProcess(data.Path, broker.Port, settings);
            await collector.UntilAsync(c => c.Sequences(ReadingKind.Thermal).Distinct().Count() > part);
            killed.Kill();
        }
        using var agent = new AgentProcess(data.Path, broker.Port, settings);
        var status = await agent.StatusAsync(status => status.GetProperty("replay_thermal").GetProperty("ended").GetBoolean());
        await collector.UntilAsync(c => c.Sequences(ReadingKind.Thermal).Distinct().Count() == lines);

        Assert.Equal(lines, status.GetProperty("replay_thermal").GetProperty("readings").GetInt32());
        var batches = collector.Of(ReadingKind.Thermal);
        Assert.Single(batches.Select(batch => batch.BootId).Distinct());
        // One may be published again after a kill, but under its own name, by which the forwarders know it.
        Assert.All(batches.SelectMany(batch => batch.Thermal), reading => Assert.Equal(400 + (double)reading.Sequence, reading.Co2Ppm));
        Assert.Equal(lines, batches.SelectMany(batch => batch.Thermal).Select(reading => reading.Id).Distinct().Count());
        Assert.Equal(0, await agent.StopAsync());
    }
}
