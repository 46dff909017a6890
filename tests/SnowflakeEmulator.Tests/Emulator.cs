using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>An answer with its body read.</summary>
sealed record Answer(HttpStatusCode Status, string Body, HttpResponseMessage Message)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    /// <summary>The error code, whichever of its two names it has.</summary>
    public string? Code => (string?)(Json["code"] ?? Json["error_code"]);

    public string Next => (string)Json["next_continuation_token"]!;
}

/// <summary>
/// An emulator on a free loopback port, over its own directory, and a client that knows nothing but HTTP: paths, parameters and
/// bodies are written out as the facts give them.
/// </summary>
sealed class Emulator : IAsyncDisposable
{
    public const string Pat = "a-programmatic-access-token";
    public const string Account = "LOCAL-DEMO";
    public const string User = "PI_USER";
    public const string Pipe = "/v2/streaming/databases/DEMO/schemas/DEMO/pipes/THERMAL_SENSOR_PIPE";
    public const string Data = "/v2/streaming/data/databases/DEMO/schemas/DEMO/pipes/THERMAL_SENSOR_PIPE";

    readonly TempDirectory directory = new();
    readonly Action<EmulatorSettings> change;
    readonly TimeProvider clock;
    WebApplication app = null!;

    Emulator(Action<EmulatorSettings> change, TimeProvider clock)
    {
        this.change = change;
        this.clock = clock;
    }

    // Making a key takes longer than starting an emulator; one serves all tests.
    static readonly RSA SharedKey = RSA.Create(2048);

    /// <summary>The private key whose public half is registered for <see cref="User"/>.</summary>
    public RSA Key { get; } = SharedKey;

    public HttpClient Client { get; private set; } = null!;

    public string DataDirectory => directory.File("data");

    public string KeysDirectory => directory.File("keys");

    public string SqlDirectory => directory.File("sql");

    public string StoreFile => Path.Combine(DataDirectory, "tables", "DEMO.DEMO.THERMAL_SENSOR_DATA.db");

    /// <summary>The rows as they were sent.</summary>
    public string BodyFile => Path.ChangeExtension(StoreFile, ".rows");

    /// <summary>A clock that stands still until it is moved.</summary>
    public static FakeTimeProvider NewClock() => new(new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero));

    /// <summary>Starts an emulator that commits at once, has the project's own SQL and one registered key.</summary>
    /// <param name="change">Changes to its settings.</param>
    /// <param name="clock">Its clock; the system's if left out.</param>
    /// <param name="sql">SQL in place of the project's.</param>
    public static async Task<Emulator> StartAsync(Action<EmulatorSettings>? change = null, TimeProvider? clock = null, string? sql = null)
    {
        var emulator = new Emulator(change ?? (_ => { }), clock ?? TimeProvider.System);
        Directory.CreateDirectory(emulator.KeysDirectory);
        Directory.CreateDirectory(emulator.SqlDirectory);
        await File.WriteAllTextAsync(Path.Combine(emulator.KeysDirectory, User + ".pub"), emulator.Key.ExportSubjectPublicKeyInfoPem());
        if (sql is not null)
            await File.WriteAllTextAsync(Path.Combine(emulator.SqlDirectory, "01.sql"), sql);
        else
            foreach (var file in Directory.GetFiles(ProjectSql))
                File.Copy(file, Path.Combine(emulator.SqlDirectory, Path.GetFileName(file)));
        await emulator.RunAsync();
        return emulator;
    }

    /// <summary>The project's own SQL files.</summary>
    public static string ProjectSql { get; } = Find("sql/streaming");

    public static string Find(string path)
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Path.Exists(Path.Combine(at, path)))
                return Path.Combine(at, path);
        }
        throw new DirectoryNotFoundException(path);
    }

    async Task RunAsync()
    {
        var settings = new EmulatorSettings
        {
            Port = 0,
            DataDirectory = DataDirectory,
            SqlDirectory = SqlDirectory,
            KeysPath = KeysDirectory,
            Account = Account,
            AccessTokens = [Pat],
            CommitDelay = TimeSpan.Zero,
            LogLevel = LogLevel.Critical,
        };
        change(settings);
        Directory.CreateDirectory(DataDirectory);
        app = EmulatorHost.Build(settings, SqlReader.ReadDirectory(settings.SqlDirectory, settings.Bucket, settings.Prefix), clock);
        await app.StartAsync();
        Client = new HttpClient { BaseAddress = Base("http"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Every endpoint that is mapped.</summary>
    public IEnumerable<RouteEndpoint> Endpoints =>
        ((IEndpointRouteBuilder)app).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>();

    /// <summary>The address of the emulator by scheme.</summary>
    public Uri Base(string scheme)
    {
        var bound = new Uri(
            EmulatorHost
                .Addresses(app)
                .First(a => a.StartsWith(scheme + ":", StringComparison.Ordinal))
                .Replace("[::]", "127.0.0.1", StringComparison.Ordinal)
        );
        return new Uri($"{scheme}://127.0.0.1:{bound.Port}");
    }

    /// <summary>Stops and starts again over the same directory.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await RunAsync();
    }

    public async Task StopAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        directory.Dispose();
    }

    // ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>
    /// Sends a request with the access token and Accept: application/json, unless <paramref name="prepare"/> changes that.
    /// </summary>
    public async Task<Answer> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content = null,
        Action<HttpRequestMessage>? prepare = null
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Pat);
        prepare?.Invoke(request);
        var response = await Client.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> OpenAsync(string channel = "CH", string body = "{}", string pipe = Pipe) =>
        SendAsync(HttpMethod.Put, $"{pipe}/channels/{channel}", Text(body, "application/json"));

    /// <summary>Appends rows with the current documentation's offset parameters.</summary>
    public Task<Answer> AppendAsync(string token, string? offset, string rows, string channel = "CH", string data = Data) =>
        SendAsync(
            HttpMethod.Post,
            $"{data}/channels/{channel}/rows?continuationToken={token}"
                + (offset is null ? "" : $"&startOffsetToken={offset}&endOffsetToken={offset}"),
            Text(rows, "application/x-ndjson")
        );

    public Task<Answer> DropAsync(string channel = "CH", string body = "") =>
        SendAsync(HttpMethod.Delete, $"{Pipe}/channels/{channel}", Text(body, "application/json"));

    public async Task<JsonObject> StatusesAsync(params string[] channels) =>
        (JsonObject)(await BulkStatusAsync(Pipe, channels)).Json["channel_statuses"]!;

    public Task<Answer> BulkStatusAsync(string pipe, params string[] channels) =>
        SendAsync(
            HttpMethod.Post,
            pipe + ":bulk-channel-status",
            Text(
                new JsonObject { ["channel_names"] = new JsonArray([.. channels.Select(c => (JsonNode)c)]) }.ToJsonString(),
                "application/json"
            )
        );

    public async Task<JsonNode> StatusAsync(string channel = "CH") => (await StatusesAsync(channel))[channel]!;

    public async Task<string?> CommittedAsync(string channel = "CH") =>
        (string?)(await StatusAsync(channel))["last_committed_offset_token"];

    /// <summary>Rows of the table as stored.</summary>
    public async Task<JsonNode[]> RowsAsync(string query = "", string table = "THERMAL_SENSOR_DATA") =>
        Lines((await GetAsync($"/emulator/tables/{table}/rows{query}")).Body);

    public async Task<JsonNode[]> ErrorsAsync(string query = "", string table = "THERMAL_SENSOR_DATA") =>
        Lines((await GetAsync($"/emulator/tables/{table}/errors{query}")).Body);

    /// <summary>The uuid of every row of the table, in order.</summary>
    public async Task<string> UuidsAsync(string query = "") => string.Concat((await RowsAsync(query)).Select(r => (string?)r["UUID"]));

    public async Task FaultAsync(string json)
    {
        var answer = await SendAsync(HttpMethod.Post, "/emulator/faults", Text(json, "application/json"));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    public static StringContent Text(string text, string type) => new(text, Encoding.UTF8, type);

    static JsonNode[] Lines(string ndjson) =>
        [.. ndjson.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];

    // ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    public string Fingerprint => FingerprintOf(Key);

    public static string FingerprintOf(RSA key) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    /// <summary>A key-pair JWT as Snowflake documents it; each claim can be changed, or left out with null.</summary>
    public string Jwt(Action<JsonObject>? change = null, RSA? signWith = null, string algorithm = "RS256")
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = $"{Account}.{User}.{Fingerprint}",
            ["sub"] = $"{Account}.{User}",
            ["iat"] = now,
            ["exp"] = now + 3000,
        };
        change?.Invoke(claims);
        var head =
            Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm}}","typ":"JWT"}"""))
            + "."
            + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()));
        var hash = algorithm == "RS512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
        return head
            + "."
            + Base64Url.EncodeToString((signWith ?? Key).SignData(Encoding.ASCII.GetBytes(head), hash, RSASignaturePadding.Pkcs1));
    }

    public Task<Answer> ExchangeAsync(
        string? assertion,
        string? bearer,
        string? scope,
        string grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    )
    {
        var form = new Dictionary<string, string> { ["grant_type"] = grant };
        if (assertion is not null)
            form["assertion"] = assertion;
        if (scope is not null)
            form["scope"] = scope;
        return SendAsync(
            HttpMethod.Post,
            "/oauth/token",
            new FormUrlEncodedContent(form),
            r =>
            {
                r.Headers.Remove("Authorization");
                if (bearer is not null)
                    r.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
            }
        );
    }

    /// <summary>Opens a channel with a bearer token of the caller's choice.</summary>
    public Task<Answer> OpenWithAsync(string? bearer, string channel = "CH") =>
        SendAsync(
            HttpMethod.Put,
            $"{Pipe}/channels/{channel}",
            Text("{}", "application/json"),
            r =>
            {
                r.Headers.Remove("Authorization");
                if (bearer is not null)
                    r.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
            }
        );

    public static JsonElement ClaimsOf(string jwt) => JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[1])).RootElement;

    public static string Row(string uuid, string more = "") =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"uuid":"{{uuid}}"{{more}}}""") + "\n";
}
