using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Text.Json;
using Amazon.S3;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>
/// A journal in memory, messages of inverter or thermal readings in it, and a loop that delivers it the way the forwarding loop does.
/// </summary>
sealed class Spool : IDisposable
{
    public const string Device = "pi-roof",
        Boot = "0123456789abcdef0123456789abcdef";

    public static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    readonly TempDirectory directory = new();
    readonly List<(long Offset, byte[] Record, int Count)> messages = [];
    readonly FakeLogCollector log = new();
    ulong sequence;
    int batches;

    public string Epoch { get; set; } = "00000000deadbeef";

    /// <summary>What the journal's cursor file says.</summary>
    public long Cursor { get; set; }

    public long End { get; private set; }

    /// <summary>What <see cref="End"/> was when the slot was opened; null: what it is now.</summary>
    public long? InitialEnd { get; set; }

    /// <summary>First offset that the journal still has.</summary>
    public long FirstStored { get; set; }

    /// <summary>Readings cut for a batch when nothing is planned.</summary>
    public int BatchReadings { get; set; } = 1000;

    public string PlanPath => directory.File("s3-plan.json");

    public string DirectoryPath => directory.Path;

    public IEnumerable<string> LoggedWarnings =>
        log.GetSnapshot().Where(entry => entry.Level >= LogLevel.Warning).Select(entry => entry.Message);

    /// <summary>Appends one message of readings, each changed by <paramref name="change"/> (index in the message).</summary>
    public void AddInverters(
        int count,
        DateTimeOffset? observedAt = null,
        Action<int, InverterReading>? change = null,
        string device = Device
    )
    {
        var batch = new ReadingBatch { DeviceId = device, BootId = Boot };
        for (var i = 0; i < count; i++)
        {
            var reading = Valid(++sequence, observedAt ?? Noon);
            change?.Invoke(i, reading);
            batch.Inverters.Add(reading);
        }
        Add(batch, ReadingKind.Inverter, count, device);
    }

    /// <summary>A message with these readings; each gets the next sequence.</summary>
    public void AddInverters(IReadOnlyCollection<InverterReading> readings, DateTimeOffset observedAt)
    {
        var batch = new ReadingBatch { DeviceId = Device, BootId = Boot };
        foreach (var reading in readings)
        {
            (reading.Sequence, reading.ObservedAtUs) = (++sequence, Instants.ToMicroseconds(observedAt));
            batch.Inverters.Add(reading);
        }
        Add(batch, ReadingKind.Inverter, readings.Count);
    }

    /// <summary>A message as an agent with all sensors sends it.</summary>
    public void AddThermal(ReadingBatch batch)
    {
        foreach (var reading in batch.Thermal)
            reading.Sequence = ++sequence;
        Add(batch, ReadingKind.Thermal, batch.Thermal.Count);
    }

    public void AddThermal(int count, DateTimeOffset? observedAt = null)
    {
        var batch = new ReadingBatch { DeviceId = Device, BootId = Boot };
        for (var i = 0; i < count; i++)
            batch.Thermal.Add(
                new ThermalReading
                {
                    Sequence = ++sequence,
                    ObservedAtUs = Instants.ToMicroseconds(observedAt ?? Noon),
                    TemperatureC = 21.5,
                }
            );
        Add(batch, ReadingKind.Thermal, count);
    }

    public static InverterReading Valid(ulong sequence, DateTimeOffset observedAt) =>
        new()
        {
            Sequence = sequence,
            ObservedAtUs = Instants.ToMicroseconds(observedAt),
            InverterId = $"Inverter_{sequence % 60 + 1}",
            PacW = 3000,
            EnergyOutputKwh = 15000,
            EnergyConversionEfficiencyPercent = 95,
            PerformanceRatio = 0.8,
            SystemUptimePercent = 99,
            TemperatureC = 40,
            InputVoltageV = 600,
            OutputVoltageV = 230,
            FrequencyHz = 50,
        };

    /// <summary>The disk loses what lies from an offset on that begins a message; the offsets are given out again.</summary>
    public void Truncate(long end)
    {
        messages.RemoveAll(message => message.Offset >= end);
        End = end;
        Cursor = Math.Min(Cursor, end);
    }

    /// <summary>Damage takes the messages that begin between two offsets; the offsets are not given out again.</summary>
    public List<(long Offset, byte[] Record, int Count)> Lose(long from, long to)
    {
        var lost = messages.Where(message => message.Offset >= from && message.Offset < to).ToList();
        messages.RemoveAll(lost.Contains);
        return lost;
    }

    /// <summary>What was lost is there again.</summary>
    public void Restore(List<(long Offset, byte[] Record, int Count)> lost)
    {
        messages.AddRange(lost);
        messages.Sort((a, b) => a.Offset.CompareTo(b.Offset));
    }

    void Add(ReadingBatch batch, ReadingKind kind, int count, string device = Device)
    {
        messages.Add((End, [.. StoredPayload.Header(isJson: false, kind, device, Noon), .. batch.ToByteArray()], count));
        End += count;
    }

    /// <summary>The readings with offsets in the range that the journal still has.</summary>
    public Batch Cut(long first, long end)
    {
        var batch = new Batch();
        batch.Clear(first);
        foreach (var (offset, record, count) in messages)
        {
            var from = Math.Max(first, offset);
            var to = Math.Min(end, offset + count);
            if (from < to && to <= End)
                batch.Add(record, from, (int)(from - offset), (int)(to - from), 500 * (to - from));
        }
        batch.EndOffset = end;
        // Each cut at another time: a batch that is cut anew must not come to the same keys by chance.
        batch.CreatedAt = Noon.AddSeconds(++batches);
        return batch;
    }

    public SinkStart Start() =>
        new(
            new SlotContext("slot-0", Epoch, InitialEnd ?? End, directory.Path, (first, end) => Cut(first, end).Readings(), null!),
            Cursor,
            FirstStored,
            End
        );

    /// <summary>What the newest sink has sent.</summary>
    public CostBook Cost { get; private set; } = null!;

    /// <summary>Of the newest sink.</summary>
    public Meter Meter { get; private set; } = null!;

    public S3Sink NewSink(S3Options options, IAmazonS3 client, TimeProvider? clock = null, LoadWatch? watch = null)
    {
        Meter = new Meter("tests");
        Cost = new CostBook(
            CostRoad.Files,
            CostPrices.Default,
            directory.Path,
            (Meter, new StatusPage()),
            clock ?? TimeProvider.System,
            new FakeLogger<CostBook>(log)
        );
        return new S3Sink(
            options,
            client,
            new S3Statistics(Meter, new StatusPage(), Cost),
            watch,
            clock ?? TimeProvider.System,
            new FakeLogger<S3Sink>(log)
        );
    }

    /// <summary>Opens the sink and delivers everything there is.</summary>
    /// <param name="sink">A new one for each simulated start.</param>
    /// <param name="loseCursor">Send and poll, but crash before the cursor is on disk.</param>
    /// <param name="again">Whether to send again after a passing failure, as the loop does; otherwise it ends the delivery.</param>
    /// <param name="cancellationToken">The crash.</param>
    public async Task DeliverAsync(
        S3Sink sink,
        bool loseCursor = false,
        Func<bool>? again = null,
        CancellationToken cancellationToken = default
    )
    {
        var position = await sink.OpenAsync(Start(), cancellationToken);
        var at = position.Offset;
        var end = position.BatchEnd;
        while (at < End)
        {
            var batch = Cut(at, end ?? Math.Min(at + BatchReadings, End));
            await SendAsync(sink, batch, again, cancellationToken);
            Assert.Equal(TimeSpan.Zero, sink.PollInterval);
            var commit = await sink.PollAsync(cancellationToken);
            Assert.True(commit.Durable);
            Assert.Equal(batch.EndOffset, commit.Offset);
            if (!loseCursor)
                Cursor = commit.Offset;
            at = batch.EndOffset;
            end = null;
        }
    }

    static async Task SendAsync(S3Sink sink, Batch batch, Func<bool>? again, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await sink.SendAsync(batch, cancellationToken);
                return;
            }
            catch (SinkException e) when (e.Failure == SinkFailure.Transient && again?.Invoke() == true)
            {
                // Like the loop, without its pause.
            }
        }
    }

    /// <summary>The rows of an object, taken apart as a loader would.</summary>
    public static List<JsonElement> Rows(string key, byte[] bytes)
    {
        if (key.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var unzipped = new MemoryStream();
            using (var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress))
                gzip.CopyTo(unzipped);
            bytes = unzipped.ToArray();
        }
        if (key.EndsWith(".zst", StringComparison.Ordinal))
        {
            using var decompressor = new ZstdSharp.Decompressor();
            bytes = decompressor.Unwrap(bytes).ToArray();
        }
        if (bytes[0] == '[')
            return [.. JsonDocument.Parse(bytes).RootElement.EnumerateArray()];
        var text = System.Text.Encoding.UTF8.GetString(bytes);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return [.. text[..^1].Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
    }

    /// <summary>The sequence of a row, also of one that was quarantined with its reasons.</summary>
    public static ulong Sequence(JsonElement row) =>
        (row.TryGetProperty("reading", out var inner) ? inner : row).GetProperty("sequence").GetUInt64();

    public void Dispose() => directory.Dispose();
}
