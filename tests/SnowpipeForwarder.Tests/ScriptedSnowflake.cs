using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>One call as it arrived.</summary>
sealed record Call(
    string Kind,
    string Method,
    string RawTarget,
    IReadOnlyDictionary<string, string> Headers,
    IReadOnlyDictionary<string, string> Query,
    byte[] Body
)
{
    public string Json => Encoding.UTF8.GetString(Body);

    public IReadOnlyList<JsonObject> Rows =>
        [
            .. Encoding
                .UTF8.GetString(Decompress(Body))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonNode.Parse(line)!.AsObject()),
        ];

    public static byte[] Decompress(byte[] body)
    {
        using var compressed = new ZstdSharp.DecompressionStream(new MemoryStream(body));
        using var plain = new MemoryStream();
        compressed.CopyTo(plain);
        return plain.ToArray();
    }
}

/// <summary>What a script answers instead of the server.</summary>
/// <param name="Status">HTTP status; 0 cuts the connection.</param>
/// <param name="Body">Body as it is sent.</param>
/// <param name="RetryAfter">Header Retry-After.</param>
/// <param name="Applied">Whether the server does its work first and only its answer is replaced.</param>
/// <param name="Location">Header Location.</param>
/// <param name="Cut">Bytes of the body after which the connection is cut, although its length was announced; null sends all.</param>
sealed record Script(
    int Status,
    string Body = "",
    string? RetryAfter = null,
    bool Applied = false,
    string? Location = null,
    int? Cut = null
);

/// <summary>
/// Snowpipe Streaming v2 in one process, for tests: continuation tokens, offset tokens, commits when the test says so. Each kind of call
/// (hostname, token, open, append, status, drop, elastic) can be given scripts that answer its next calls. Written from the wire facts, not
/// from the client.
/// </summary>
sealed class ScriptedSnowflake : IAsyncDisposable
{
    readonly WebApplication app;
    readonly Lock gate = new();
    readonly Dictionary<string, Channel> channels = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, ConcurrentQueue<Script>> scripts = new(StringComparer.Ordinal);
    readonly Dictionary<string, DateTimeOffset> issued = new(StringComparer.Ordinal);
    int tokens;

    ScriptedSnowflake(WebApplication app) => this.app = app;

    public sealed class Channel
    {
        public int ClientSequencer,
            RowSequencer;
        public string? Committed,
            ErrorBound,
            ErrorMessage;
        public string Status = "SUCCESS";
        public long RowErrors;

        // Null: the status does not say.
        public long? RowsInserted = 0;
        public List<(string Token, List<JsonObject> Rows)> Buffered = [];
    }

    public Uri Url { get; private set; } = new("http://localhost");

    public ConcurrentQueue<Call> Calls { get; } = [];

    /// <summary>Rows that are committed, in order.</summary>
    public List<JsonObject> Table { get; } = [];

    public string HostnameBody { get; set; } = "127.0.0.1";

    /// <summary>The server's own clock.</summary>
    public Func<DateTimeOffset> Now { get; set; } = () => TimeProvider.System.GetUtcNow();

    /// <summary>Instead of the server's time.</summary>
    public string? DateHeader { get; set; }

    /// <summary>What each answer about a channel carries as x-snowflake-session; null for no such header.</summary>
    public string? Session { get; set; } = "MTI3LjAuMC4xOjE=";

    /// <summary>How access tokens begin that are accepted.</summary>
    public string Pat { get; set; } = "pat";

    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Shape of the token answer.</summary>
    public Func<string, string> TokenBody { get; set; } = token => token;

    /// <summary>Public key that JWTs are checked against; null accepts any.</summary>
    public RSA? PublicKey { get; set; }

    public bool PipeExists { get; set; } = true;

    public bool AssertionOnly { get; set; }

    /// <summary>Whether it knows the grant by which an access token becomes a scoped one.</summary>
    public bool ExchangesAccessTokens { get; set; } = true;

    /// <summary>Runs before each answer of a kind.</summary>
    public Func<Call, Task>? Before { get; set; }

    public IEnumerable<Call> Of(string kind) => Calls.Where(call => call.Kind == kind);

    public void Next(string kind, params Script[] answers)
    {
        foreach (var answer in answers)
            scripts.GetOrAdd(kind, _ => new()).Enqueue(answer);
    }

    public void ClearScripts() => scripts.Clear();

    /// <summary>The only channel there is.</summary>
    public Channel Single
    {
        get
        {
            lock (gate)
                return channels.Values.Single();
        }
    }

    public IReadOnlyCollection<string> ChannelNames
    {
        get
        {
            lock (gate)
                return [.. channels.Keys];
        }
    }

    /// <summary>Field of every status, beside the codes.</summary>
    public int StatusNumber { get; set; }

    public Channel Make(string name)
    {
        lock (gate)
            return channels[name] = new Channel();
    }

    public void Forget(string name)
    {
        lock (gate)
            channels.Remove(name);
    }

    /// <summary>No token issued so far is accepted any more.</summary>
    public void RevokeTokens()
    {
        lock (gate)
            issued.Clear();
    }

    /// <summary>Commits what is buffered, all of it or the first appends.</summary>
    /// <param name="appends">How many.</param>
    /// <param name="isCounted">False: the count of inserted rows comes later, or never.</param>
    public void Commit(int appends = int.MaxValue, bool isCounted = true)
    {
        lock (gate)
        {
            foreach (var channel in channels.Values)
            {
                foreach (var (token, rows) in channel.Buffered.Take(appends))
                {
                    Table.AddRange(rows);
                    channel.Committed = token;
                    if (isCounted)
                        channel.RowsInserted += rows.Count;
                }
                channel.Buffered = [.. channel.Buffered.Skip(appends)];
            }
        }
    }

    public static async Task<ScriptedSnowflake> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var server = new ScriptedSnowflake(app);
        app.Run(server.HandleAsync);
        await app.StartAsync();
        server.Url = new Uri(app.Urls.Single());
        return server;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var call = new Call(
            KindOf(context.Request.Method, target),
            context.Request.Method,
            target,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            context.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal),
            body.ToArray()
        );
        Calls.Enqueue(call);
        context.Response.Headers.Date = DateHeader ?? Now().ToString("R", CultureInfo.InvariantCulture);
        if (Before is not null)
            await Before(call);
        if (!call.Headers.ContainsKey("Accept"))
        {
            await AnswerAsync(context, 406, """{"code":"391902","message":"Unsupported Accept header null is specified."}""");
            return;
        }
        if (scripts.TryGetValue(call.Kind, out var queue) && queue.TryDequeue(out var script))
        {
            if (script.Applied)
                _ = Answer(call);
            if (script.Status == 0)
            {
                context.Abort();
                return;
            }
            if (script.RetryAfter is not null)
                context.Response.Headers.RetryAfter = script.RetryAfter;
            if (script.Location is not null)
                context.Response.Headers.Location = script.Location;
            if (script.Cut is { } cut)
            {
                context.Response.ContentLength = Encoding.UTF8.GetByteCount(script.Body);
                context.Response.StatusCode = script.Status;
                await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(script.Body).AsMemory(0, cut));
                await context.Response.Body.FlushAsync();
                context.Abort();
                return;
            }
            await AnswerAsync(context, script.Status, script.Body);
            return;
        }
        var (status, answer) = Answer(call);
        if (call.Kind is "open" or "append" or "status" && Session is not null)
            context.Response.Headers["x-snowflake-session"] = Session;
        await AnswerAsync(context, status, answer);
    }

    static string KindOf(string method, string target)
    {
        var path = target.Split('?')[0];
        return (method, path) switch
        {
            ("GET", "/v2/streaming/hostname") => "hostname",
            ("POST", "/oauth/token") => "token",
            ("PUT", _) when path.Contains("/channels/", StringComparison.Ordinal) => "open",
            ("DELETE", _) when path.Contains("/channels/", StringComparison.Ordinal) => "drop",
            ("POST", _)
                when path.EndsWith("/channels/ELASTIC/rows", StringComparison.Ordinal)
                    || path.Contains("/tables/", StringComparison.Ordinal) => "elastic",
            ("POST", _) when path.EndsWith("/rows", StringComparison.Ordinal) => "append",
            ("POST", _) when path.EndsWith(":bulk-channel-status", StringComparison.Ordinal) => "status",
            ("GET", "/") => "ping",
            _ => "other",
        };
    }

    static async Task AnswerAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType =
            body.StartsWith('{') ? "application/json"
            : body.StartsWith('<') ? "text/html"
            : "text/plain";
        // These must not have one.
        if (status is not (204 or 205 or 304))
            await context.Response.WriteAsync(body);
    }

    (int, string) Answer(Call call)
    {
        lock (gate)
        {
            return call.Kind switch
            {
                "ping" => (404, ""),
                "hostname" => IsSignedIn(call, control: true) ? (200, HostnameBody) : Unauthorised,
                "token" => IssueToken(call),
                _ when !IsSignedIn(call, control: false) => Unauthorised,
                // By its table, a default pipe is made.
                _ when !PipeExists && !call.RawTarget.Contains("/tables/", StringComparison.Ordinal) => (
                    404,
                    """{"error_code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED","message":"no pipe"}"""
                ),
                "open" => Open(ChannelOf(call)),
                "append" => Append(call, ChannelOf(call)),
                "elastic" => Elastic(call),
                "status" => Status(call),
                "drop" => (200, channels.Remove(ChannelOf(call)) ? "{}" : "{}"),
                _ => (405, ""),
            };
        }
    }

    static (int, string) Unauthorised =>
        (401, """{"code":"390144","message":"JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]"}""");

    static string ChannelOf(Call call)
    {
        var path = call.RawTarget.Split('?')[0];
        var name = path[(path.IndexOf("/channels/", StringComparison.Ordinal) + "/channels/".Length)..];
        return Uri.UnescapeDataString(name.EndsWith("/rows", StringComparison.Ordinal) ? name[..^5] : name);
    }

    bool IsSignedIn(Call call, bool control)
    {
        if (!call.Headers.TryGetValue("Authorization", out var header) || !header.StartsWith("Bearer ", StringComparison.Ordinal))
            return false;
        var token = header["Bearer ".Length..];
        if (issued.TryGetValue(token, out var expiry))
            return !control && expiry > Now();
        return token.StartsWith(Pat, StringComparison.Ordinal) || IsGoodJwt(token);
    }

    (int, string) IssueToken(Call call)
    {
        var form = Encoding
            .UTF8.GetString(call.Body)
            .Split('&')
            .Select(pair => pair.Split('='))
            .ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1].Replace('+', ' ')));
        var bearer = call.Headers.GetValueOrDefault("Authorization", "").Replace("Bearer ", "", StringComparison.Ordinal);
        if (form.GetValueOrDefault("grant_type") == "urn:ietf:params:oauth:grant-type:token-exchange" && ExchangesAccessTokens)
            return
                form.GetValueOrDefault("subject_token_type") == "programmatic_access_token"
                && bearer.StartsWith(Pat, StringComparison.Ordinal)
                ? (200, Issue(form))
                : Unauthorised;
        if (form.GetValueOrDefault("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer")
            return (400, """{"error":"unsupported_grant_type","message":"not this one"}""");
        var jwt =
            form.TryGetValue("assertion", out var assertion) ? assertion
            : AssertionOnly ? ""
            : bearer;
        return IsGoodJwt(jwt) ? (200, Issue(form)) : Unauthorised;
    }

    string Issue(Dictionary<string, string> form)
    {
        var exp = Now() + TokenLifetime;
        var claims = Base64($$"""{"scope":"{{form.GetValueOrDefault("scope")}}","n":{{++tokens}},"exp":{{exp.ToUnixTimeSeconds()}}}""");
        var token = $"{Base64("{}")}.{claims}.c2ln";
        issued[token] = exp;
        return TokenBody(token);
    }

    // RFC 7515 by hand: nothing here is shared with the client.
    bool IsGoodJwt(string jwt)
    {
        if (jwt.Split('.') is not [var header, var claims, var signature])
            return false;
        if (JsonNode.Parse(Unbase64(header))?["alg"]?.GetValue<string>() != "RS256")
            return false;
        if (
            PublicKey is not null
            && !PublicKey.VerifyData(
                Encoding.ASCII.GetBytes($"{header}.{claims}"),
                Unbase64(signature),
                HashAlgorithmName.SHA256,
                RSASignaturePadding.Pkcs1
            )
        )
            return false;
        var json = JsonNode.Parse(Unbase64(claims))!;
        var (iat, exp, now) = (json["iat"]!.GetValue<long>(), json["exp"]!.GetValue<long>(), Now().ToUnixTimeSeconds());
        return iat <= now && now < exp && now < iat + 3600;
    }

    (int, string) Open(string name)
    {
        if (!channels.TryGetValue(name, out var channel))
            channels[name] = channel = new Channel();
        channel.ClientSequencer++;
        channel.RowSequencer = 1;
        channel.Buffered.Clear();
        return (
            200,
            new JsonObject
            {
                ["next_continuation_token"] = $"{channel.ClientSequencer}_1",
                ["channel_status"] = StatusOf(name, channel),
            }.ToJsonString()
        );
    }

    (int, string) Append(Call call, string name)
    {
        if (!channels.TryGetValue(name, out var channel))
            return (400, """{"code":"ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED","message":""}""");
        if (call.Query.GetValueOrDefault("continuationToken")?.Split('_') is not [var client, var row])
            return (400, """{"code":"BAD","message":"no continuation token"}""");
        if (int.Parse(client, CultureInfo.InvariantCulture) != channel.ClientSequencer)
            return (
                400,
                """{"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"Channel sequencer in the continuation token is stale. Please reopen the channel"}"""
            );
        if (int.Parse(row, CultureInfo.InvariantCulture) == channel.RowSequencer)
        {
            channel.RowSequencer++;
            channel.Buffered.Add(
                (call.Query.GetValueOrDefault("endOffsetToken") ?? call.Query.GetValueOrDefault("offsetToken") ?? "", [.. call.Rows])
            );
        }
        return (
            200,
            $$"""{"next_continuation_token":"{{channel.ClientSequencer}}_{{channel.RowSequencer}}","status_code":0,"message":"Success"}"""
        );
    }

    (int, string) Elastic(Call call)
    {
        if (call.Query.Keys.Any(key => key.Contains("oken", StringComparison.Ordinal)))
            return (400, """{"code":"BAD","message":"no tokens here"}""");
        Table.AddRange(call.Rows);
        return (200, """{"message":"OK"}""");
    }

    (int, string) Status(Call call)
    {
        var answer = new JsonObject();
        foreach (var name in JsonNode.Parse(call.Body)!["channel_names"]!.AsArray().Select(node => node!.GetValue<string>()))
        {
            if (channels.TryGetValue(name, out var channel))
                answer[name] = StatusOf(name, channel);
        }
        return (200, new JsonObject { ["channel_statuses"] = answer }.ToJsonString());
    }

    JsonObject StatusOf(string name, Channel channel) =>
        new()
        {
            ["status_code"] = StatusNumber,
            ["channel_name"] = name,
            ["channel_status_code"] = channel.Status,
            ["last_committed_offset_token"] = channel.Committed,
            ["rows_error_count"] = channel.RowErrors,
            ["rows_inserted"] = channel.RowsInserted,
            ["last_error_offset_upper_bound"] = channel.ErrorBound,
            ["last_error_message"] = channel.ErrorMessage,
        };

    static string Base64(string text) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public static byte[] Unbase64(string text)
    {
        var padded = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(padded + new string('=', (4 - padded.Length % 4) % 4));
    }
}
