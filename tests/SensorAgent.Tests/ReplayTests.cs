using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The replay of recorded files, on a clock that the test moves, with stops and kills.</summary>
public sealed class ReplayTests : IDisposable
{
    static readonly DateTimeOffset Recorded = new(2026, 5, 1, 8, 0, 0, TimeSpan.Zero);

    readonly ManualClock clock = new();
    readonly TempDirectory data = new();
    readonly Meter meter = new("test");
    readonly FakeLogger<RecordingSampling> logger = new();
    readonly Health health = new();
    readonly List<Stand> stands = [];

    public void Dispose()
    {
        foreach (var stand in stands)
            stand.Dispose();
        meter.Dispose();
        data.Dispose();
    }

    string File => data.File("recorded.ndjson");

    static string Row(int number, double second) =>
        $$"""{"temperature": {{20 + number}}, "humidity": null, "device_id": "other", "datetimestamp": "{{Recorded.AddSeconds(second):O}}"}""";

    void Record(int count, double apart = 0.5) =>
        System.IO.File.WriteAllLines(File, Enumerable.Range(1, count).Select(i => Row(i, i * apart)));

    /// <summary>An agent's outbox and replay over a data directory.</summary>
    sealed class Stand : IDisposable
    {
        public Stand(
            ReplayTests test,
            string directory,
            Func<RecordingOptions, RecordingOptions>? with,
            ReadingKind kind,
            long outboxBytes,
            ILogger<Outbox>? outboxLogger
        )
        {
            var options = new AgentOptions
            {
                DeviceId = "pi",
                DataDirectory = directory,
                Journal = new JournalOptions
                {
                    FreeSpaceReserveBytes = 0,
                    MaxBytes = outboxBytes,
                    SegmentBytes = outboxBytes / 8,
                },
            };
            var metrics = new AgentMetrics(test.meter, new StatusPage(), new RequestMetrics(test.meter));
            var kernel = new FakeKernel(test.clock);
            var readingClock = new ReadingClock(options, kernel, metrics, test.health, test.clock, NullLogger<ReadingClock>.Instance);
            Outboxes = new Outboxes(options, readingClock, test.health, TimeProvider.System, outboxLogger ?? NullLogger<Outbox>.Instance);
            var replay = new RecordingOptions
            {
                Kind = kind,
                File = test.File,
                PositionPath = Path.Combine(directory, "replay", "position"),
            };
            Sampling = new RecordingSampling(
                with is null ? replay : with(replay),
                new Device(options, kernel, test.clock),
                Outboxes[kind],
                metrics,
                test.health,
                test.clock,
                test.logger
            );
        }

        public Outboxes Outboxes { get; }

        public RecordingSampling Sampling { get; }

        public List<ReadingBatch> Stored(ReadingKind kind = ReadingKind.Thermal)
        {
            using var reader = Outboxes[kind].Journal.OpenReader(0);
            List<ReadingBatch> batches = [];
            while (reader.TryRead(out var entry))
            {
                Assert.True(StoredPayload.TryParse(entry.Payload, out var batch));
                batches.Add(ReadingBatch.Parser.ParseFrom(batch.Bytes.Span));
            }
            return batches;
        }

        public void Dispose()
        {
            Sampling.Dispose();
            Outboxes.Dispose();
        }
    }

    Stand Start(
        Func<RecordingOptions, RecordingOptions>? with = null,
        string? directory = null,
        ReadingKind kind = ReadingKind.Thermal,
        long outboxBytes = 128 << 20,
        ILogger<Outbox>? outboxLogger = null
    )
    {
        var stand = new Stand(this, directory ?? data.File("data"), with, kind, outboxBytes, outboxLogger);
        stands.Add(stand);
        return stand;
    }

    /// <summary>Lets time pass from timer to timer, whenever the replay waits for one.</summary>
    async Task PassAsync(TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; )
        {
            var due = await DueAsync();
            var step = due < left ? due : left;
            clock.Advance(step);
            left -= step;
        }
        await DueAsync();
    }

    async Task<TimeSpan> DueAsync()
    {
        for (var patience = 0; clock.NextDue is null && !HasEnded; patience++)
        {
            Assert.True(patience < 20_000, "The replay does not wait for its next reading.");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
        return clock.NextDue ?? TimeSpan.MaxValue;
    }

    bool HasEnded => logger.Collector.GetSnapshot().Any(record => record.Id.Id == 37);

    async Task UntilEndAsync()
    {
        while (!HasEnded)
        {
            if (clock.NextDue is { } due)
                clock.Advance(due);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    static List<double> Temperatures(IEnumerable<ReadingBatch> batches) =>
        [.. batches.SelectMany(batch => batch.Thermal).Select(reading => reading.TemperatureC)];

    static void AssertOnce(IReadOnlyCollection<ReadingBatch> batches, int count)
    {
        Assert.Equal(Enumerable.Range(1, count).Select(i => 20.0 + i), Temperatures(batches));
        Assert.Equal(Enumerable.Range(1, count).Select(i => (ulong)i), batches.SelectMany(Collector.Sequences));
        Assert.Single(batches.Select(batch => batch.BootId).Distinct());
    }

    [Fact]
    public async Task Plays_at_the_pace_of_the_recording_in_the_batches_of_sensors()
    {
        Record(25);
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(5.2));
        Assert.Equal(10, Temperatures(stand.Stored()).Count);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        var batches = stand.Stored();
        AssertOnce(batches, 25);
        Assert.Equal([10, 10, 5], batches.Select(batch => batch.Thermal.Count));
        var times = batches.SelectMany(batch => batch.Thermal).Select(reading => reading.ObservedAtUs).ToList();
        Assert.All(times.Zip(times.Skip(1), (a, b) => b - a), apart => Assert.Equal(500_000, apart));
        // Of the replay, not of May.
        Assert.Equal(Instants.ToMicroseconds(new ManualClock().GetUtcNow()), times[0]);
        Assert.All(
            batches.SelectMany(batch => batch.Thermal),
            reading => Assert.Equal(("replayed", false, false), (reading.Sensors, reading.HasHumidityPercent, reading.HasCpuPercent))
        );
        Assert.Equal("pi", batches[0].DeviceId);
    }

    [Theory]
    [InlineData(10, 1.2)]
    [InlineData(0.5, 24)]
    public async Task Plays_faster_or_slower(double speed, double seconds)
    {
        Record(25);
        var stand = Start(replay => replay with { Speed = speed });
        var start = clock.GetTimestamp();
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();

        Assert.Equal(seconds, clock.GetElapsedTime(start).TotalSeconds, 1);
        await stand.Sampling.StopAsync(default);
        AssertOnce(stand.Stored(), 25);
    }

    [Fact]
    public async Task Plays_as_fast_as_the_outbox_takes_it_and_may_keep_the_time_of_the_recording()
    {
        Record(1_234, apart: 3_600);
        var stand = Start(replay => replay with { Speed = 0, Time = RecordingTime.Recorded });
        var start = clock.GetTimestamp();
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        Assert.Equal(TimeSpan.Zero, clock.GetElapsedTime(start));
        var batches = stand.Stored();
        AssertOnce(batches, 1_234);
        Assert.Equal([500, 500, 234], batches.Select(batch => batch.Thermal.Count));
        Assert.Equal(Instants.ToMicroseconds(Recorded.AddHours(1_234)), batches[^1].Thermal[^1].ObservedAtUs);
    }

    [Fact]
    public async Task Goes_on_after_stops_and_kills_at_any_place_without_doubling_or_skipping()
    {
        const int readings = 400;
        Record(readings, apart: 0.7);
        var (random, seed) = Seed.Next();
        var directory = data.File("data");
        for (var run = 0; !HasEnded; run++)
        {
            Assert.True(run < 200, $"The replay does not come forward (seed {seed}).");
            var stand = Start(directory: directory);
            await stand.Sampling.StartAsync(default);
            await PassAsync(TimeSpan.FromSeconds(25 * random.NextDouble()));
            if (random.Next(2) == 0)
            {
                await stand.Sampling.StopAsync(default);
                stand.Dispose();
            }
            else
            {
                // A kill: the disk as it is now, without what a stop writes.
                var copy = data.File($"kill-{run}");
                Copy(directory, copy, random);
                await stand.Sampling.StopAsync(default);
                stand.Dispose();
                directory = copy;
            }
        }

        AssertOnce(Start(directory: directory).Stored(), readings);
    }

    /// <summary>Sometimes with only one of the position's two files.</summary>
    static void Copy(string from, string to, Random random)
    {
        foreach (var path in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(path) == "lock")
                continue;
            var target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            System.IO.File.Copy(path, target);
        }
        var position = Path.Combine(to, "replay", "position");
        if (random.Next(3) == 0)
            System.IO.File.Delete(position + ".copy");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_in_the_middle_of_a_replay_at_full_speed_ends_it_there(bool areReadings)
    {
        // Readings long enough that they are not through before the stop; the wrong file has none at all.
        const int lines = 200_000;
        if (areReadings)
            Record(lines);
        else
            await System.IO.File.WriteAllLinesAsync(File, Enumerable.Repeat("time;temperature", 10 * lines));
        var stand = Start(replay => replay with { Speed = 0 });
        await stand.Sampling.StartAsync(default);
        while (areReadings ? stand.Outboxes[ReadingKind.Thermal].Journal.NextOffset == 0 : logger.Collector.Count < 10)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);

        await stand.Sampling.StopAsync(default);

        Assert.False(HasEnded);
        Assert.True(stand.Sampling.ExecuteTask!.IsCompletedSuccessfully);
        if (!areReadings)
            return;
        var count = Temperatures(stand.Stored()).Count;
        Assert.InRange(count, 1, lines - 1);
        AssertOnce(stand.Stored(), count);
    }

    /// <summary>An outbox with so little space that a sensor's batches fit, and one of a fast replay does not.</summary>
    async Task<Stand> StartFullAsync(ILogger<Outbox> outboxLogger)
    {
        Record(600);
        var stand = Start(replay => replay with { Speed = 0 }, outboxBytes: 96 * 1024, outboxLogger: outboxLogger);
        var outbox = stand.Outboxes[ReadingKind.Thermal];
        while (outbox.Journal.SizeBytes < 75 * 1024)
        {
            var batch = new ReadingBatch { BootId = "sensor" };
            for (var i = 0; i < 10; i++)
                batch.Thermal.Add(new ThermalReading { Sensors = new string('s', 100) });
            await outbox.StoreAsync(batch, 10, CancellationToken.None);
        }
        return stand;
    }

    [Fact]
    public async Task A_batch_that_a_stop_gives_up_is_stored_once_and_dated_once()
    {
        var outboxLog = new FakeLogger<Outbox>();
        var stand = await StartFullAsync(outboxLog);
        var journal = stand.Outboxes[ReadingKind.Thermal].Journal;
        var before = journal.NextOffset;
        await stand.Sampling.StartAsync(default);
        while (journal.FullReason is null)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);

        await stand.Sampling.StopAsync(default);

        Assert.Single(
            outboxLog.Collector.GetSnapshot(),
            record => record.Message.Contains("could not be stored", StringComparison.Ordinal)
        );
        // There is room again before the process ends: the journal stores the batch after all.
        journal.Commit(before);
        while (journal.FullReason is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        var late = stand.Stored().Where(batch => batch.BootId != "sensor").ToList();
        stand.Dispose();
        var again = Start(replay => replay with { Speed = 0 });
        await again.Sampling.StartAsync(default);
        await UntilEndAsync();
        await again.Sampling.StopAsync(default);

        AssertOnce(late, 500);
        Assert.Equal(Instants.ToMicroseconds(clock.GetUtcNow()), late[0].Thermal[0].ObservedAtUs);
        AssertOnce([.. again.Stored().Where(batch => batch.BootId != "sensor")], 600);
    }

    [Fact]
    public async Task An_outbox_that_has_stopped_is_not_taken_for_an_unreadable_recording()
    {
        var stand = await StartFullAsync(new FailingLogger());
        // Not by the outbox, which would then want to have room for another one of this size.
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            stand.Outboxes[ReadingKind.Thermal].Journal.AppendAsync(new JournalRecord(new byte[40_000], 1)).AsTask()
        );
        await stand.Sampling.StartAsync(default);

        var problem = await Assert.ThrowsAsync<IOException>(() =>
            stand.Sampling.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, CancellationToken.None)
        );

        Assert.Contains("stopped", problem.Message, StringComparison.Ordinal);
        Assert.Null(health.Parts.Single(one => one.Key == "replay thermal").Value);
    }

    /// <summary>Breaks the journal's writer when the journal is full, as a defect of the program would.</summary>
    sealed class FailingLogger : ILogger<Outbox>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (exception is null && logLevel >= LogLevel.Warning)
                throw new InvalidOperationException("defect");
        }
    }

    [Theory]
    [InlineData("{\"temperature\": 21, \"quality\": \"\\ud800\"}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": 21, \"\\ud800\": 1}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": 21, \"sensors\": \"\u00ff\"}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": 21, \"diskusage\": \"\u00ff MB\"}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": \"\u00ff\"}", "it is not valid UTF-8")]
    public void A_line_of_another_encoding_is_no_reading_and_stops_nothing(string line, string problem) =>
        Assert.Equal(problem, RecordedRow.Parse(ReadingKind.Thermal, Encoding.Latin1.GetBytes(line), out _));

    [Theory]
    [InlineData(ReadingKind.Inverter, "id")]
    [InlineData(ReadingKind.Inverter, "quality")]
    [InlineData(ReadingKind.Thermal, "quality")]
    [InlineData(ReadingKind.Thermal, "sensors")]
    public void A_text_that_no_row_has_is_refused(ReadingKind kind, string key)
    {
        Assert.Null(Parse(200));
        Assert.Equal($"{key} is longer than 200 characters", Parse(201));

        string? Parse(int length)
        {
            var row = new Dictionary<string, object>
            {
                ["id"] = "i",
                ["PAC"] = 3000,
                ["temperature"] = 40,
            };
            row[key] = new string('x', length);
            return RecordedRow.Parse(kind, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(row), out _);
        }
    }

    [Fact]
    public void Whatever_is_in_a_line_it_is_a_reading_or_a_problem()
    {
        var (random, seed) = Seed.Next();
        byte[][] rows =
        [
            Encoding.UTF8.GetBytes(
                Row(1, 1)[..^1]
                    + ", \"quality\": \"clock:Adjusting\", \"sensors\": \"sc\\u00e4d4x\", \"diskusage\": \"12 MB\", \"under_voltage\": true, "
                    + "\"throttled\": 327680, \"load_1m\": 0.5, \"uptime_s\": 12}"
            ),
            Encoding.UTF8.GetBytes(
                "{\"id\": \"Inverter_\\u00e4\", \"PAC\": 3000, \"fault_status\": \"None\", \"quality\": \"x:Stuck\", \"ts\": 1}"
            ),
        ];
        string[] pieces = ["\\ud800", "\\udfff", "\"", "\\", "{", "}", "[", ",", ":", "null", "1e400", "-1", "true", "\\u0000"];
        var readings = 0;
        for (var run = 0; run < 60_000; run++)
        {
            var line = rows[random.Next(rows.Length)].ToList();
            for (var change = random.Next(4); change >= 0; change--)
            {
                var at = random.Next(line.Count);
                if (random.Next(2) == 0)
                    line[at] = (byte)random.Next(256);
                else if (random.Next(4) == 0)
                    line.RemoveRange(at, Math.Min(random.Next(1, 30), line.Count - at - 1));
                else
                    line.InsertRange(at, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
            }
            var kind = (ReadingKind)Enum.GetValues<ReadingKind>().GetValue(random.Next(2))!;
            var text = line.ToArray();
            try
            {
                var problem = RecordedRow.Parse(kind, text, out var row);
                if (problem is not null)
                    continue;
                readings++;
                Google.Protobuf.IMessage? message = row.Thermal is null ? row.Inverter : row.Thermal;
                Assert.InRange(Google.Protobuf.MessageExtensions.ToByteArray(message!).Length, 1, 3_000);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"Seed {seed}, line {Encoding.Latin1.GetString(text)}: {e}");
            }
        }
        Assert.True(readings > 100, $"Seed {seed}: hardly a line was a reading.");
    }

    async Task PlayToEndAsync(Func<RecordingOptions, RecordingOptions>? with = null)
    {
        logger.Collector.Clear();
        using var stand = Start(with);
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);
    }

    List<double> StoredTemperatures()
    {
        using var stand = Start();
        return Temperatures(stand.Stored());
    }

    [Fact]
    public async Task Another_file_with_the_same_beginning_begins_anew_and_says_so()
    {
        Record(100);
        await PlayToEndAsync(replay => replay with { Speed = 0 });
        var lines = await System.IO.File.ReadAllLinesAsync(File);
        // Longer, and the same in its first 4 KiB.
        await System.IO.File.WriteAllLinesAsync(File, [.. lines[..50], .. Enumerable.Range(1, 100).Select(i => Row(300 + i, i))]);

        await PlayToEndAsync(replay => replay with { Speed = 0 });

        Assert.Equal([.. Enumerable.Range(21, 100), .. Enumerable.Range(21, 50), .. Enumerable.Range(321, 100)], StoredTemperatures());
        Assert.Contains(
            logger.Collector.GetSnapshot(),
            record => record.Level == LogLevel.Warning && record.Message.Contains("is not the file", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_file_that_was_empty_is_no_file_that_another_one_could_be()
    {
        await System.IO.File.WriteAllTextAsync(File, "");
        await PlayToEndAsync();
        Record(4);
        await PlayToEndAsync();
        Record(8);
        await PlayToEndAsync();
        Assert.Equal(Enumerable.Range(21, 8).Select(i => (double)i), StoredTemperatures());

        await System.IO.File.WriteAllTextAsync(File, "");
        Assert.False(RecordingPosition.Begin(File, "boot", "epoch", 0).IsOf(File));
    }

    [Fact]
    public async Task A_half_written_last_line_waits_for_its_rest()
    {
        Record(3);
        var whole = await System.IO.File.ReadAllTextAsync(File);
        var last = Row(4, 4);
        for (var cut = 1; cut < last.Length; cut += 20)
        {
            await System.IO.File.WriteAllTextAsync(File, whole + last[..cut]);
            await PlayToEndAsync();
            Assert.DoesNotContain(logger.Collector.GetSnapshot(), record => record.Id.Id == 34);
        }
        // Complete, though its end is still missing.
        await System.IO.File.WriteAllTextAsync(File, whole + last);
        await PlayToEndAsync();
        Assert.Equal(4, StoredTemperatures().Count);
        await System.IO.File.WriteAllTextAsync(File, whole + last + "\n" + Row(5, 5) + "\n");
        await PlayToEndAsync();

        using var stand = Start();
        AssertOnce(stand.Stored(), 5);
    }

    [Theory]
    [InlineData(false, "scd4x:Jump")]
    [InlineData(true, "clock:Unsynchronised,scd4x:Jump,clock:Adjusting")]
    public async Task What_was_odd_about_the_recorded_time_is_said_of_that_time_alone(bool isRecorded, string quality)
    {
        const string odd = "\"quality\": \"clock:Unsynchronised,scd4x:Jump,clock:Adjusting\"";
        await System.IO.File.WriteAllLinesAsync(
            File,
            [$"{{\"temperature\": 21, {odd}}}", "{\"temperature\": 22, \"quality\": \"clock:Adjusting\"}"]
        );
        await PlayToEndAsync(replay => replay with { Time = isRecorded ? RecordingTime.Recorded : RecordingTime.Now });

        using var stand = Start();
        var readings = stand.Stored().SelectMany(batch => batch.Thermal).ToList();
        Assert.Equal(quality, readings[0].Quality);
        Assert.Equal(isRecorded, readings[1].HasQuality);
    }

    [Fact]
    public async Task A_position_that_is_far_behind_the_outbox_repeats_nothing()
    {
        Record(300);
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(6));
        var kept = await System.IO.File.ReadAllBytesAsync(data.File("data/replay/position"));
        await PassAsync(TimeSpan.FromSeconds(60));
        await stand.Sampling.StopAsync(default);
        Assert.True(Temperatures(stand.Stored()).Count > 100);
        stand.Dispose();
        await System.IO.File.WriteAllBytesAsync(data.File("data/replay/position"), kept);
        await System.IO.File.WriteAllBytesAsync(data.File("data/replay/position.copy"), kept);

        var again = Start(replay => replay with { Speed = 0 });
        await again.Sampling.StartAsync(default);
        await UntilEndAsync();
        await again.Sampling.StopAsync(default);

        AssertOnce(again.Stored(), 300);
    }

    [Fact]
    public async Task Lines_that_are_no_readings_are_named_counted_and_skipped()
    {
        string[] bad =
        [
            "{\"temperature\": 21,",
            "[{\"temperature\": 21}]",
            "{\"PAC\": 3000}",
            "{\"temperature\": \"warm\"}",
            "{\"temperature\": 21, \"ts\": \"yesterday\"}",
            new string('x', RecordedFile.LongestLine + 70_000),
            "\0\0\0",
        ];
        System.IO.File.WriteAllText(
            File,
            "\uFEFF" + Row(1, 0) + "\r\n\r\n" + string.Join('\n', bad) + "\n" + Row(2, 0).Replace("22", "\"22\"", StringComparison.Ordinal)
        );
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        AssertOnce(stand.Stored(), 2);
        var warnings = logger
            .Collector.GetSnapshot()
            .Where(record => record.Level == LogLevel.Warning)
            .Select(record => record.Message)
            .ToList();
        Assert.Equal(bad.Length, warnings.Count);
        for (var i = 0; i < bad.Length; i++)
            Assert.StartsWith(
                $"{File}, line {i + 3} is skipped: it ",
                warnings[i]
                    .Replace("temperature is", "it is", StringComparison.Ordinal)
                    .Replace("ts is", "it is", StringComparison.Ordinal),
                StringComparison.Ordinal
            );
        Assert.True(health.IsReady);
    }

    [Fact]
    public async Task Begins_again_at_the_end_when_told_and_numbers_on()
    {
        Record(7, apart: 1);
        var stand = Start(replay => replay with { IsLooping = true });
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(30));
        await stand.Sampling.StopAsync(default);

        var batches = stand.Stored();
        var temperatures = Temperatures(batches);
        Assert.InRange(temperatures.Count, 29, 31);
        Assert.Equal(temperatures.Select((_, i) => 21.0 + i % 7), temperatures);
        Assert.Equal(temperatures.Select((_, i) => (ulong)i + 1), batches.SelectMany(Collector.Sequences));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_without_a_reading_is_a_problem_and_no_endless_loop(bool isLooping)
    {
        await System.IO.File.WriteAllTextAsync(File, "\n{}\n");
        var stand = Start(replay => replay with { IsLooping = isLooping });
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();

        Assert.Contains(health.Parts, one => one.Value?.Contains("holds no reading", StringComparison.Ordinal) == true);
        await stand.Sampling.StopAsync(default);
        Assert.Empty(stand.Stored());
    }

    [Fact]
    public async Task Another_file_under_the_name_begins_anew_and_one_that_has_grown_goes_on()
    {
        Record(5);
        await PlayAsync();
        Record(8);
        await PlayAsync();
        AssertOnce(Start().Stored(), 8);
        stands[^1].Dispose();

        System.IO.File.WriteAllLines(File, [Row(50, 0), Row(51, 1)]);
        await PlayAsync();

        var batches = Start().Stored();
        Assert.Equal([70, 71], Temperatures(batches)[8..]);
        Assert.Equal(2, batches.Select(batch => batch.BootId).Distinct().Count());
        Assert.Equal([1, 2], batches[^1].Thermal.Select(reading => reading.Sequence));

        async Task PlayAsync()
        {
            logger.Collector.Clear();
            var stand = Start();
            await stand.Sampling.StartAsync(default);
            await UntilEndAsync();
            await stand.Sampling.StopAsync(default);
            stand.Dispose();
        }
    }

    [Fact]
    public async Task A_file_that_goes_away_is_waited_for()
    {
        Record(40);
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(6));
        await stand.Sampling.StopAsync(default);
        stand.Dispose();
        System.IO.File.Move(File, File + ".away");
        var again = Start();
        await again.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(11));
        Assert.Contains("cannot be read", health.Parts.Single(one => one.Key == "replay thermal").Value, StringComparison.Ordinal);

        System.IO.File.Move(File + ".away", File);
        await UntilEndAsync();
        await again.Sampling.StopAsync(default);

        AssertOnce(again.Stored(), 40);
        Assert.True(health.IsReady);
    }

    [Fact]
    public async Task What_the_journal_exports_comes_back_as_it_was()
    {
        var environment = new SimulatedEnvironment(3, TimeSpan.FromMinutes(10));
        var batch = new ReadingBatch { DeviceId = "other", BootId = "b" };
        for (var i = 0; i < 20; i++)
        {
            var reading = new ThermalReading { Sequence = (ulong)i + 1, ObservedAtUs = Instants.ToMicroseconds(Recorded.AddSeconds(i)) };
            environment.AddTo(reading, Recorded.AddSeconds(i));
            (reading.CpuPercent, reading.MemoryPercent, reading.DiskFreeMb, reading.CpuTemperatureC) = (12.5, 40, 23_456, 50);
            (reading.UnderVoltage, reading.Throttled) = (i % 2 == 0, 0x50005u + (uint)i);
            (reading.LoadAverage, reading.UptimeS, reading.GasResistanceOhm) = (0.25 * i, 86_400 + (ulong)i, 12_345);
            reading.Quality = "scd4x:Jump,clock:Adjusting";
            if (i == 0)
                AssertAllAreSet(reading, except: ["duration_us", "id"]);
            batch.Thermal.Add(reading);
        }
        var header = StoredPayload.Header(isJson: false, ReadingKind.Thermal, "other", Recorded);
        byte[] record = [.. header, .. Google.Protobuf.MessageExtensions.ToByteArray(batch)];
        await System.IO.File.WriteAllLinesAsync(File, StoredPayload.Format(record));
        var stand = Start(replay => replay with { Time = RecordingTime.Recorded, Speed = 0 });
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        var replayed = Assert.Single(stand.Stored()).Thermal;
        Assert.Equal(20, replayed.Count);
        for (var i = 0; i < replayed.Count; i++)
        {
            var (was, now) = (batch.Thermal[i], replayed[i]);
            Assert.Equal("replayed-" + was.Sensors.Replace(",", ",replayed-", StringComparison.Ordinal), now.Sensors);
            (now.Sensors, now.Id) = (was.Sensors, was.Id);
            Assert.Equal(was, now);
        }
    }

    /// <summary>A field that is added to the message must be added to the test.</summary>
    static void AssertAllAreSet(Google.Protobuf.IMessage message, string[] except) =>
        Assert.All(
            message.Descriptor.Fields.InDeclarationOrder().Where(field => !except.Contains(field.Name)),
            field =>
                Assert.True(
                    field.HasPresence ? field.Accessor.HasValue(message) : !Equals(field.Accessor.GetValue(message), 0L),
                    $"{field.Name} is not set."
                )
        );

    [Fact]
    public async Task Inverters_come_back_in_their_rounds_with_their_faults()
    {
        var text = new StringBuilder();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 1; i <= 4; i++)
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $$"""{"id": "Inverter_{{i}}", "PAC": {{1000 + i}}, "temperature": null, "fault_status": "Overheat", "quality": "x:Stuck", "observed_at": "{{Recorded.AddSeconds(20 * round):O}}"}"""
                );
        }
        await System.IO.File.WriteAllTextAsync(File, text.ToString());
        var stand = Start(kind: ReadingKind.Inverter);
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        var batches = stand.Stored(ReadingKind.Inverter);
        Assert.Equal([4, 4, 4], batches.Select(batch => batch.Inverters.Count));
        Assert.All(
            batches.SelectMany(batch => batch.Inverters),
            one =>
                Assert.Equal(
                    (FaultStatus.Overheat, false, true, "x:Stuck"),
                    (one.FaultStatus, one.HasTemperatureC, one.HasPacW, one.Quality)
                )
        );
        Assert.Equal(20_000_000, batches[1].Inverters[0].ObservedAtUs - batches[0].Inverters[0].ObservedAtUs);
    }

    [Fact]
    public void A_position_is_read_as_it_was_written_and_nothing_else_is()
    {
        Record(3);
        var position = RecordingPosition.Begin(File, "boot", "epoch", 7) with { Byte = 12, Line = 1, Sequence = 1 };

        Assert.Equal(position, RecordingPosition.Parse(position.ToString()));
        Assert.True(position.IsOf(File));
        // As older versions wrote it: an upgrade goes on with the replay.
        var older = position.ToString();
        Assert.Equal(position, RecordingPosition.Parse(older[..older.IndexOf(" mark=", StringComparison.Ordinal)]));
        Assert.Null(RecordingPosition.Parse("sgp30 serial=1"));
        Assert.Null(RecordingPosition.Parse(position.ToString().Replace("line=1", "line=x", StringComparison.Ordinal)));
        Assert.False((position with { Byte = 1_000_000 }).IsOf(File));
    }

    [Fact]
    public void Disorder_costs_no_time_and_a_new_recording_begins_at_once()
    {
        var pace = new RecordingPace(1, TimeSpan.FromSeconds(5), clock);
        long[] seconds = [100_000, 100_001, 100_000, 100_002, 10, 11];

        Assert.Equal([0, 1, 1, 2, 2, 3], seconds.Select(second => pace.Next(second * 1_000_000).TotalSeconds));
        // A recording that was held up for an hour goes on at its own pace, and leaves nothing out.
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.Zero, pace.Until(pace.Next(11_500_000)));
        Assert.Equal(1, pace.Until(pace.Next(12_500_000)).TotalSeconds, 3);
        // What has no time, and a round that begins again, comes a second later.
        pace.BeginAgain();
        Assert.Equal(2, pace.Until(pace.Next(1_000_000)).TotalSeconds, 3);
        Assert.Equal(3, pace.Until(pace.Next(null)).TotalSeconds, 3);
    }

    [Theory]
    [InlineData("SOURCE", "replay", "SOURCE is replay and REPLAY_FILE is not set")]
    [InlineData("INVERTER_SOURCE", "replay", "INVERTER_SOURCE is replay and INVERTER_REPLAY_FILE is not set")]
    [InlineData("REPLAY_FILE", "/nowhere/a.ndjson", "REPLAY_FILE is '/nowhere/a.ndjson', which cannot be read")]
    [InlineData("REPLAY_FILE", "/tmp", "REPLAY_FILE is '/tmp', which is a directory")]
    [InlineData("REPLAY_SPEED", "fast", "REPLAY_SPEED is 'fast'")]
    [InlineData("REPLAY_TIME", "then", "REPLAY_TIME is 'then'")]
    [InlineData("INVERTER_SOURCE", "hardware", "INVERTER_SOURCE is 'hardware'")]
    public void Settings_that_cannot_be_are_named(string key, string value, string problem)
    {
        Record(1);
        var settings = Load(
            ("SOURCE", key == "INVERTER_SOURCE" ? "simulate" : "replay"),
            ("REPLAY_FILE", key == "SOURCE" ? "" : File),
            (key, value)
        );

        Assert.StartsWith(problem, Assert.Single(settings.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_compressed_file_and_an_endless_race_are_refused()
    {
        Record(1);
        Assert.Contains(
            "fill the outbox",
            Assert.Single(Load(("REPLAY_LOOP", "true"), ("REPLAY_SPEED", "max")).Problems),
            StringComparison.Ordinal
        );
        System.IO.File.WriteAllBytes(File, [0x1F, 0x8B, 8]);
        Assert.Contains("gunzip", Assert.Single(Load(("SOURCE", "replay"), ("REPLAY_FILE", File)).Problems), StringComparison.Ordinal);
    }

    static Settings Load(params (string Key, string Value)[] values)
    {
        var settings = new Settings(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    values.Reverse().DistinctBy(pair => pair.Key).ToDictionary(pair => pair.Key, pair => (string?)pair.Value)
                )
                .Build()
        );
        AgentOptions.Load(settings);
        return settings;
    }
}
