using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.SnowflakeEmulator.Tests;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>A monitor of loads, its list and dead letters, a bucket, a queue, and the emulator of Snowflake as a process.</summary>
sealed class LoadStand : IAsyncDisposable
{
    public const string Prefix = "inverter-data/";

    readonly TempDirectory directory = new();
    readonly Meter meter = new("tests");
    FakeS3 store = null!;
    FakeAws queue = null!;

    public EmulatorProcess Emulator { get; private set; } = null!;

    public FakeLogCollector Log { get; } = new();

    public Health Health { get; } = new();

    public LoadListFile List { get; private set; } = null!;

    public LoadOptions Options { get; private set; } = null!;

    public LoadClient Client { get; private set; } = null!;

    public LoadMonitor Monitor { get; private set; } = null!;

    public string KeyFile => directory.File("rsa.p8");

    public string LettersDirectory => directory.File("dead-letters");

    public IReadOnlyList<DeadLetter> Letters => [.. DeadLetters.ReadAll(LettersDirectory)];

    public FakeS3 Store => store;

    public Uri Queue => queue.Address;

    public static async Task<LoadStand> StartAsync(Func<string, string>? changeSql = null, Func<LoadOptions, LoadOptions>? change = null)
    {
        var stand = new LoadStand();
        stand.store = await FakeS3.StartAsync();
        stand.store.LastModified = TimeProvider.System.GetUtcNow();
        stand.queue = await FakeAws.StartAsync();
        using (var key = RSA.Create(2048))
        {
            Directory.CreateDirectory(stand.directory.File("keys"));
            await File.WriteAllTextAsync(stand.KeyFile, key.ExportPkcs8PrivateKeyPem());
            await File.WriteAllTextAsync(stand.directory.File($"keys/{EmulatorProcess.User}.pub"), key.ExportSubjectPublicKeyInfoPem());
        }
        stand.Emulator = await EmulatorProcess.StartAsync(stand.directory, stand.store.Address, stand.queue.Address, changeSql);
        stand.List = new LoadListFile(stand.directory.Path);
        stand.Options = new LoadOptions
        {
            Account = AccountIdentifier.Parse("local-demo", out _),
            User = EmulatorProcess.User,
            Url = stand.Emulator.Address,
            KeyFile = stand.KeyFile,
            Key = KeyPair.Load(stand.KeyFile, null, out _),
            Database = "DEMO",
            Schema = "DEMO",
            Pipe = "INVERTER_PIPE",
            StageUrl = $"s3://readings/{Prefix}",
        };
        stand.Options = change?.Invoke(stand.Options) ?? stand.Options;
        stand.NewProcess();
        return stand;
    }

    /// <summary>What a start of the service makes.</summary>
    public void NewProcess()
    {
        Client?.Dispose();
        Client = new LoadClient(Options, TimeProvider.System, new FakeLogger<LoadClient>(Log));
        Figures = new LoadFigures(meter, new StatusPage(), TimeProvider.System);
        var letters = new DeadLetters(LettersDirectory, 1 << 24, TimeProvider.System, new FakeLogger<DeadLetters>(Log));
        Monitor = new LoadMonitor(Client, List, Figures, letters, Health, TimeProvider.System, new FakeLogger<LoadMonitor>(Log));
    }

    public LoadFigures Figures { get; private set; } = null!;

    /// <summary>Puts an object into the bucket and onto the list, as an upload does.</summary>
    public async Task UploadAsync(string name, string content, int rows, TimeSpan ago = default, bool isAnnounced = true)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        store.Objects[("readings", Prefix + name)] = new S3Object(bytes, "application/json", new Dictionary<string, string>(), 1);
        var at = TimeProvider.System.GetUtcNow() - ago;
        await List.AppendAsync([new WatchedFile($"s3://readings/{Prefix}{name}", rows, at, at)]);
        if (isAnnounced)
            queue.Send(FakeAws.EventOf("ObjectCreated:Put", "readings", Prefix + name));
    }

    public void Announce(params string[] keys) => queue.Send(FakeAws.EventOf("ObjectCreated:Put", "readings", keys));

    public Task<TimeSpan> AskAsync() => Monitor.AskAsync(CancellationToken.None);

    public async Task<(int Code, string Output)> RefreshAsync(bool allPending = false, bool json = false)
    {
        using var output = new StringWriter();
        var code = await LoadCommand.RefreshAsync(Options, Client, List, (allPending, json), output, CancellationToken.None);
        return (code, output.ToString());
    }

    /// <summary>What /status says of loads.</summary>
    public JsonNode Status()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            Figures.Write(json);
            json.WriteEndObject();
        }
        return JsonNode.Parse(buffer.ToArray())!["loads"]!;
    }

    public IEnumerable<string> Pending => List.Read().Files.Select(file => file.Address[$"s3://readings/{Prefix}".Length..]);

    public IEnumerable<string> Warnings =>
        Log.GetSnapshot().Where(entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Warning).Select(entry => entry.Message);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Emulator.Dispose();
        meter.Dispose();
        await queue.DisposeAsync();
        await store.DisposeAsync();
        directory.Dispose();
    }
}
