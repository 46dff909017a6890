using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>An emulator that loads from a bucket and a queue in memory, with the project's own SQL.</summary>
sealed class LoaderStand(FakeAws aws, Emulator emulator) : IAsyncDisposable
{
    public const string Prefix = "inverter-data/";
    public const string Table = "INVERTER_DATA_RAW";

    public FakeAws Aws => aws;

    public Emulator Emulator => emulator;

    /// <summary>The project's SQL that classic Snowpipe needs.</summary>
    public static string Sql =>
        string.Join(
            '\n',
            new[] { "streaming/01_database.sql", "classic/01_table.sql", "classic/04_stage.sql", "classic/05_pipe.sql" }.Select(file =>
                File.ReadAllText(Emulator.Find($"sql/{file}"))
            )
        );

    /// <param name="changeSql">Changes to the project's SQL.</param>
    /// <param name="clock">The time of the emulator; the system's if left out.</param>
    public static async Task<LoaderStand> StartAsync(Func<string, string>? changeSql = null, TimeProvider? clock = null)
    {
        var aws = await FakeAws.StartAsync(clock);
        var emulator = await Emulator.StartAsync(
            settings =>
            {
                settings.Loader = aws.Settings;
                settings.Bucket = FakeAws.Bucket;
            },
            clock,
            (changeSql ?? (sql => sql))(Sql)
        );
        return new LoaderStand(aws, emulator);
    }

    /// <summary>As the project's pipe, but what can be loaded is loaded.</summary>
    public static string Continue(string sql) => OnError(sql, "CONTINUE");

    public static string OnError(string sql, string policy)
    {
        Assert.Contains("ON_ERROR = SKIP_FILE;", sql, StringComparison.Ordinal);
        return sql.Replace("ON_ERROR = SKIP_FILE;", $"ON_ERROR = {policy};", StringComparison.Ordinal);
    }

    /// <summary>Writes an object below the prefix, tells the queue, and waits until the queue is empty.</summary>
    public Task LoadAsync(string name, string content) => LoadAsync(name, Encoding.UTF8.GetBytes(content));

    public async Task LoadAsync(string name, byte[] content)
    {
        aws.Put(Prefix + name, content);
        aws.Announce(Prefix + name);
        await aws.EmptyAsync();
    }

    public Task<JsonNode[]> RowsAsync() => emulator.RowsAsync(table: Table);

    /// <summary>The bodies of all rows, one behind the other.</summary>
    public async Task<string> BodiesAsync() =>
        string.Join(' ', (await RowsAsync()).Select(row => row["JSON_BODY"]?.ToJsonString() ?? "null"));

    /// <summary>The load history: path, status, rows loaded of rows parsed.</summary>
    public async Task<string[]> HistoryAsync() =>
        [.. (await EntriesAsync()).Select(load => $"{load["path"]} {load["status"]} {load["rowsInserted"]}/{load["rowsParsed"]}")];

    public async Task<JsonNode[]> EntriesAsync()
    {
        var answer = await emulator.GetAsync("/emulator/loads");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return [.. answer.Json.AsArray().Select(load => load!)];
    }

    public static byte[] Gzip(string text, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, level))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await emulator.DisposeAsync();
        await aws.DisposeAsync();
    }
}
