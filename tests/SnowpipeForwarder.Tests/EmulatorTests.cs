using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.SnowflakeEmulator;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>
/// The sink against the project's emulator, tables and pipes from the project's own SQL: signatures, sequencers, casts and all.
/// </summary>
public sealed class EmulatorTests : IAsyncLifetime
{
    readonly TempDirectory directory = new();
    readonly FakeLogCollector log = new();
    readonly Meter meter = new("test");
    readonly HttpClient http = new();
    WebApplication app = null!;
    Uri url = null!;
    SnowpipeClient client = null!;
    SnowpipeStatistics statistics = null!;
    SnowpipeSink sink = null!;
    DeadLetters deadLetters = null!;
    long cursor;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(directory.File("keys"));
        KeygenCommand.Run(directory.File("rsa_key.p8"), 2048, false, null, false, null, TextWriter.Null, TextWriter.Null);
        File.Copy(directory.File("rsa_key.pub"), directory.File("keys/STREAMER.pub"));
        await StartEmulatorAsync(Ports.Take());
    }

    public async ValueTask DisposeAsync()
    {
        await sink.DisposeAsync();
        client.Dispose();
        statistics.Dispose();
        meter.Dispose();
        http.Dispose();
        await app.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData("SNOWFLAKE_AUTH", "ScopedToken")]
    [InlineData("SNOWFLAKE_AUTH", "DirectJwt")]
    [InlineData("SNOWFLAKE_AUTH", "Pat")]
    [InlineData("SNOWFLAKE_AUTH", "DirectPat")]
    [InlineData("SNOWFLAKE_PIPE", "thermal_sensor_data-streaming")]
    [InlineData("SNOWFLAKE_INGESTION", "Elastic")]
    public async Task Rows_arrive_however_they_are_sent(string key, string value)
    {
        NewProcess((key, value));

        await OpenAsync();
        await SendAsync(0, 10);
        await SendAsync(10, 7);
        var commit = await PollAsync();

        Assert.Equal(17, commit.Offset);
        Assert.Equal(Enumerable.Range(0, 17).Select(offset => (long)offset), await StoredAsync());
        Assert.Empty(log.Messages());
    }

    [Fact]
    public async Task The_elastic_channel_makes_the_default_pipe_that_is_not_there()
    {
        NewProcess(("SNOWFLAKE_INGESTION", "Elastic"), ("SNOWFLAKE_PIPE", "thermal_sensor_data-streaming"));

        await OpenAsync();
        await SendAsync(0, 10);

        Assert.Equal(10, (await PollAsync()).Offset);
        Assert.Equal(Enumerable.Range(0, 10).Select(offset => (long)offset), await StoredAsync());
    }

    [Fact]
    public async Task A_lost_reply_stores_its_rows_once()
    {
        NewProcess();
        await OpenAsync();
        await FaultAsync("""{"endpoint":"append","kind":"lost_reply","times":2}""");
        var batch = SinkFixture.MakeBatch(0, 10, TimeProvider.System.GetUtcNow());

        for (var i = 0; i < 2; i++)
            Assert.Equal(
                SinkFailure.Transient,
                (await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(batch, CancellationToken.None))).Failure
            );
        await sink.SendAsync(batch, CancellationToken.None);
        await SendAsync(10, 10);

        Assert.Equal(20, (await PollAsync()).Offset);
        Assert.Equal(Enumerable.Range(0, 20).Select(offset => (long)offset), await StoredAsync());
    }

    [Fact]
    public async Task A_channel_that_is_invalidated_while_idle_heals()
    {
        NewProcess();
        await OpenAsync();
        await SendAsync(0, 10);
        await PollAsync();
        await FaultAsync("""{"kind":"invalidate"}""");

        var failure = await Assert.ThrowsAsync<SinkException>(PollAsync);
        cursor = 10;
        var position = await OpenAsync();
        await SendAsync(10, 5);

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
        Assert.Equal(10, position.Offset);
        Assert.Equal(Enumerable.Range(0, 15).Select(offset => (long)offset), await StoredAsync());
    }

    [Fact]
    public async Task A_second_process_on_the_channel_fences_the_first()
    {
        NewProcess();
        await OpenAsync();
        await SendAsync(0, 10);
        var first = sink;
        NewProcess();
        await OpenAsync();

        var failure = await Assert.ThrowsAsync<SinkException>(() =>
            first.SendAsync(SinkFixture.MakeBatch(10, 1, TimeProvider.System.GetUtcNow()), CancellationToken.None)
        );
        await SendAsync(10, 1);

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
        Assert.Equal(Enumerable.Range(0, 11).Select(offset => (long)offset), await StoredAsync());
    }

    [Fact]
    public async Task A_row_that_the_pipe_cannot_cast_is_reported_and_kept()
    {
        NewProcess();
        await OpenAsync();
        var payload = Encoding.UTF8.GetBytes(
            """{"temperature":21.5,"sequence":1,"boot_id":"b"}{"temperature":1e15,"sequence":2,"boot_id":"b"}{"temperature":21.7,"sequence":3,"boot_id":"b"}"""
        );

        await sink.SendAsync(SinkFixture.MakeBatch(0, 3, TimeProvider.System.GetUtcNow(), payload, isJson: true), CancellationToken.None);
        var commit = await PollAsync();

        Assert.Equal(3, commit.Offset);
        Assert.Equal([0L, 2], await StoredAsync());
        Assert.Contains(
            log.Of(SnowpipeEvents.RowsRefused),
            line => line.Contains("refused 1 rows between offsets 0 and 2", StringComparison.Ordinal)
        );
        Assert.Equal(3, deadLetters.Count);
    }

    [Fact]
    public async Task A_restart_of_both_sides_goes_on_where_it_was()
    {
        NewProcess();
        await OpenAsync();
        await SendAsync(0, 10);
        var port = url.Port;
        await app.DisposeAsync();
        await StartEmulatorAsync(port);
        NewProcess();

        var position = await OpenAsync();
        await SendAsync(position.Offset, 5);

        Assert.Equal(10, position.Offset);
        Assert.Equal(Enumerable.Range(0, 15).Select(offset => (long)offset), await StoredAsync());
    }

    [Fact]
    public async Task A_pipe_that_is_not_there_is_found_at_start()
    {
        NewProcess(("SNOWFLAKE_PIPE", "MISSPELT"));

        var failure = await Assert.ThrowsAsync<SinkException>(OpenAsync);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("MISSPELT", failure.Message);
    }

    [Fact]
    public async Task A_key_that_is_not_registered_is_explained()
    {
        using var stranger = System.Security.Cryptography.RSA.Create(2048);
        File.WriteAllText(directory.File("keys/STREAMER.pub"), stranger.ExportSubjectPublicKeyInfoPem());
        NewProcess();

        var failure = await Assert.ThrowsAsync<SinkException>(OpenAsync);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("ALTER USER", failure.Message);
    }

    async Task StartEmulatorAsync(int port)
    {
        var settings = new EmulatorSettings
        {
            Port = port,
            DataDirectory = Directory.CreateDirectory(directory.File("data")).FullName,
            SqlDirectory = Sql(),
            KeysPath = directory.File("keys"),
            Account = "LOCAL-DEMO",
            AccessTokens = ["pat-token"],
            CommitDelay = TimeSpan.Zero,
            LogLevel = LogLevel.Critical,
        };
        app = EmulatorHost.Build(settings, SqlReader.ReadDirectory(settings.SqlDirectory), TimeProvider.System);
        await app.StartAsync();
        url = new Uri(
            $"http://127.0.0.1:{new Uri(EmulatorHost.Addresses(app).First().Replace("[::]", "127.0.0.1", StringComparison.Ordinal)).Port}"
        );
    }

    void NewProcess(params (string Key, string Value)[] changes)
    {
        var all = new Dictionary<string, string?>
        {
            ["SNOWFLAKE_ACCOUNT"] = "local-demo",
            ["SNOWFLAKE_USER"] = "streamer",
            ["SNOWFLAKE_DATABASE"] = "DEMO",
            ["SNOWFLAKE_SCHEMA"] = "DEMO",
            ["SNOWFLAKE_PIPE"] = "THERMAL_SENSOR_PIPE",
            ["SNOWFLAKE_PAT"] = "pat-token",
            ["SNOWFLAKE_URL"] = url.ToString(),
            ["SNOWFLAKE_PRIVATE_KEY_FILE"] = directory.File("rsa_key.p8"),
        };
        foreach (var (key, value) in changes)
            all[key] = value;
        var settings = new Settings(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
        var options = SnowpipeOptions.Load(settings);
        Assert.Empty(settings.Problems);
        client = new SnowpipeClient(options, TimeProvider.System, new FakeLogger<SnowpipeClient>(log));
        statistics = new SnowpipeStatistics(
            options,
            meter,
            new StatusPage(),
            SinkFixture.NewCost(meter, directory.Path, TimeProvider.System, log),
            TimeProvider.System,
            new FakeLogger<SnowpipeStatistics>(log)
        );
        deadLetters = new DeadLetters(directory.File("dead-letters"), 1 << 30, TimeProvider.System, new FakeLogger(log));
        sink = new SnowpipeSink(client, options, statistics, TimeProvider.System, new FakeLogger<SnowpipeSink>(log));
    }

    Task<SinkPosition> OpenAsync() =>
        sink.OpenAsync(
            new SinkStart(
                new SlotContext(
                    "slot-0",
                    SinkFixture.Epoch,
                    1000,
                    directory.Path,
                    (first, end) => SinkFixture.MakeBatch(first, (int)(end - first), TimeProvider.System.GetUtcNow()).Readings(),
                    deadLetters
                ),
                cursor,
                0,
                1000
            ),
            CancellationToken.None
        );

    Task SendAsync(long first, int count) =>
        sink.SendAsync(SinkFixture.MakeBatch(first, count, TimeProvider.System.GetUtcNow()), CancellationToken.None);

    Task<SinkCommit> PollAsync() => sink.PollAsync(CancellationToken.None);

    async Task FaultAsync(string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(url, "/emulator/faults"), content);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    async Task<IReadOnlyList<long>> StoredAsync()
    {
        var lines = await http.GetStringAsync(new Uri(url, "/emulator/tables/THERMAL_SENSOR_DATA/rows?after=0&limit=10000"));
        return
        [
            .. lines
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonNode.Parse(line)!.AsObject())
                .Select(row =>
                    row.First(column => column.Key.Equals("stream_offset", StringComparison.OrdinalIgnoreCase)).Value!.GetValue<long>()
                ),
        ];
    }

    static string Sql()
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Directory.Exists(Path.Combine(at, "sql/streaming")))
                return Path.Combine(at, "sql/streaming");
        }
        throw new DirectoryNotFoundException("sql/streaming");
    }
}
