using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>A sink, a server to deliver to, and a slot with as many readings as a test wants.</summary>
sealed class SinkFixture : IAsyncDisposable
{
    public const string Epoch = "1a2b3c4d5e6f7081";
    public const string Channel = "THERMAL_slot-0_1a2b3c4d";

    /// <summary>A key for whoever needs one: making it takes a second on a small machine.</summary>
    public static string KeyPem { get; } = MakeKey();

    readonly TempDirectory directory = new();
    readonly Dictionary<string, string> settings;
    readonly Meter meter = new("test");
    SnowpipeClient? client;

    SinkFixture(ScriptedSnowflake server, Dictionary<string, string> settings)
    {
        Server = server;
        this.settings = settings;
    }

    public ScriptedSnowflake Server { get; }

    public ManualClock Clock { get; } = new();

    public FakeLogCollector Log { get; } = new();

    public SnowpipeSink Sink { get; private set; } = null!;

    public SnowpipeStatistics Statistics { get; private set; } = null!;

    public CostBook Cost { get; private set; } = null!;

    public SnowpipeClient Client => client!;

    public DeadLetters DeadLetters { get; private set; } = null!;

    public string Directory => directory.Path;

    /// <summary>How many readings the journal holds.</summary>
    public long End { get; set; } = 1000;

    /// <summary>How many it held when the slot was opened; null: as many as now.</summary>
    public long? InitialEnd { get; set; }

    public long Cursor { get; set; }

    public long FirstStored { get; set; }

    public static async Task<SinkFixture> StartAsync(params (string Key, string Value)[] settings)
    {
        var server = await ScriptedSnowflake.StartAsync();
        var fixture = new SinkFixture(server, settings.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal));
        server.Now = fixture.Clock.GetUtcNow;
        fixture.NewProcess();
        return fixture;
    }

    /// <summary>What a restart does: everything in memory is gone, the slot's directory stays.</summary>
    public void NewProcess()
    {
        client?.Dispose();
        var options = Options();
        client = new SnowpipeClient(options, Clock, new FakeLogger<SnowpipeClient>(Log));
        Statistics = new SnowpipeStatistics(
            options,
            meter,
            new StatusPage(),
            NewCost(meter),
            Clock,
            new FakeLogger<SnowpipeStatistics>(Log)
        );
        DeadLetters = new DeadLetters(directory.File("dead-letters"), 1 << 30, Clock, new FakeLogger(Log));
        Sink = new SnowpipeSink(client, options, Statistics, Clock, new FakeLogger<SnowpipeSink>(Log));
    }

    public CostBook NewCost(System.Diagnostics.Metrics.Meter meter) => Cost = NewCost(meter, directory.Path, Clock, Log);

    public static CostBook NewCost(System.Diagnostics.Metrics.Meter meter, string directory, TimeProvider clock, FakeLogCollector log) =>
        new(CostRoad.Streaming, CostPrices.Default, directory, (meter, new StatusPage()), clock, new FakeLogger<CostBook>(log));

    public SnowpipeOptions Options()
    {
        var key = directory.File("rsa_key.p8");
        File.WriteAllText(key, KeyPem);
        var all = new Dictionary<string, string?>
        {
            ["SNOWFLAKE_ACCOUNT"] = "myorg-my_account",
            ["SNOWFLAKE_USER"] = "streamer",
            ["SNOWFLAKE_ROLE"] = "streaming_role",
            ["SNOWFLAKE_DATABASE"] = "demo",
            ["SNOWFLAKE_SCHEMA"] = "public",
            ["SNOWFLAKE_PIPE"] = "thermal_pipe",
            ["SNOWFLAKE_URL"] = Server.Url.ToString(),
            ["SNOWFLAKE_PRIVATE_KEY_FILE"] = key,
        };
        foreach (var (name, value) in settings)
            all[name] = value;
        var loaded = new Settings(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
        var options = SnowpipeOptions.Load(loaded);
        Assert.Empty(loaded.Problems);
        return options;
    }

    public Task<SinkPosition> OpenAsync() => Sink.OpenAsync(new SinkStart(Slot(), Cursor, FirstStored, End), CancellationToken.None);

    public async Task<SinkException> OpenFailsAsync() => await Assert.ThrowsAsync<SinkException>(OpenAsync);

    public Task SendAsync(Batch batch) => Sink.SendAsync(batch, CancellationToken.None);

    public async Task<SinkException> SendFailsAsync(Batch batch) => await Assert.ThrowsAsync<SinkException>(() => SendAsync(batch));

    public Task<SinkCommit> PollAsync() => Sink.PollAsync(CancellationToken.None);

    public async Task<SinkException> PollFailsAsync() => await Assert.ThrowsAsync<SinkException>(PollAsync);

    /// <summary>Sends, commits and sees the commit.</summary>
    public async Task DeliverAsync(long first, int count, bool isCounted = true)
    {
        await SendAsync(Batch(first, count));
        Server.Commit(isCounted: isCounted);
        await PollAsync();
    }

    public SlotContext Slot(string epoch = Epoch) => new("slot-0", epoch, InitialEnd ?? End, directory.Path, Read, DeadLetters);

    IEnumerable<BatchReading> Read(long first, long end) => Batch(first, (int)(end - first)).Readings();

    /// <summary>Readings with offsets from <paramref name="first"/>, each with its offset + 1 as its sequence.</summary>
    public Batch Batch(long first, int count) => MakeBatch(first, count, Clock.GetUtcNow());

    public Batch Batch(long first, int count, byte[] payload, bool isJson) => MakeBatch(first, count, Clock.GetUtcNow(), payload, isJson);

    public static Batch MakeBatch(long first, int count, DateTimeOffset at)
    {
        var message = new ReadingBatch
        {
            DeviceId = "pi-1",
            BootId = "0123456789abcdef0123456789abcdef",
            Host = new Host
            {
                Hostname = "pi-1",
                IpAddress = "192.168.1.20",
                MacAddress = "b8:27:eb:01:02:03",
                StartedAtUs = 1_763_000_000_000_000,
            },
        };
        for (var offset = first; offset < first + count; offset++)
            message.Thermal.Add(
                new ThermalReading
                {
                    Sequence = (ulong)offset + 1,
                    ObservedAtUs = Instants.ToMicroseconds(at) + offset * 500_000,
                    TemperatureC = 21.5 + offset % 7 * 0.01,
                    CpuPercent = 12.5,
                }
            );
        return MakeBatch(first, count, at, message.ToByteArray(), isJson: false);
    }

    public static Batch MakeBatch(long first, int count, DateTimeOffset at, byte[] payload, bool isJson)
    {
        var batch = new Batch();
        byte[] record = [.. StoredPayload.Header(isJson, ReadingKind.Thermal, "pi-1", at), .. payload];
        batch.Clear(first);
        batch.Add(record, first, 0, count, JournalPayload.EstimateRowBytes(record, count, count));
        batch.CreatedAt = at;
        return batch;
    }

    public static string Token(long offset, string epoch = Epoch) => $"{epoch}:{offset:D20}";

    public static IEnumerable<long> Offsets(IEnumerable<JsonObject> rows) => rows.Select(row => row["stream_offset"]!.GetValue<long>());

    public async ValueTask DisposeAsync()
    {
        await Sink.DisposeAsync();
        client?.Dispose();
        Statistics.Dispose();
        meter.Dispose();
        await Server.DisposeAsync();
        directory.Dispose();
    }

    static string MakeKey()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportPkcs8PrivateKeyPem();
    }
}
