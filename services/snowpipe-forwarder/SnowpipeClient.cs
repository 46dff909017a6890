using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>One channel as the client must remember it between calls. Used by one caller at a time.</summary>
sealed class ChannelSession(string name)
{
    /// <summary>One exact spelling everywhere: the status endpoint compares case.</summary>
    public string Name { get; } = name;

    /// <summary>The last <c>x-snowflake-session</c> of the channel, by which requests find the node that holds it.</summary>
    public string? Affinity { get; set; }
}

/// <summary>What an open said.</summary>
sealed record OpenedChannel(string ContinuationToken, ChannelStatus Status);

/// <summary>
/// Snowpipe Streaming v2 over REST. Knows the wire: hosts, tokens, headers, bodies; decides nothing beyond signing in once more when a token is refused.
/// One instance per process; thread-safe.
/// </summary>
/// <remarks>Snowflake documentation, "Snowpipe Streaming REST API (high-performance architecture)".</remarks>
sealed partial class SnowpipeClient : IDisposable
{
    const string Json = "application/json";

    static readonly MediaTypeHeaderValue JsonType = new(Json);
    static readonly MediaTypeHeaderValue LinesType = new("application/x-ndjson");

    readonly SnowpipeOptions options;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly HttpClient http;
    readonly SnowflakeTokens tokens;
    readonly SemaphoreSlim discovering = new(1);
    readonly string pipePath;
    readonly string dataPath;
    readonly string elasticPath;
    Uri? ingest;
    bool warnedAboutClock;

    public SnowpipeClient(SnowpipeOptions options, TimeProvider clock, ILogger<SnowpipeClient> logger)
    {
        this.options = options;
        this.clock = clock;
        this.logger = logger;
        ServerClock = new ServerClock(clock);
        var schema = $"databases/{Identifier.EncodeSegment(options.Database)}/schemas/{Identifier.EncodeSegment(options.Schema)}";
        var path = $"{schema}/pipes/{Identifier.EncodeSegment(options.Pipe)}";
        pipePath = "/v2/streaming/" + path;
        dataPath = "/v2/streaming/data/" + path;
        // By its table a default pipe is made when it is missing; by its own name it must be there.
        elasticPath = options.DefaultPipeTable is { } table ? $"/v2/streaming/data/{schema}/tables/{Identifier.EncodeSegment(table)}/rows" : dataPath + "/channels/ELASTIC/rows";
        http = new HttpClient(new SocketsHttpHandler
        {
            // Addresses behind Snowflake's names change; a connection that lives for ever would never notice.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = 1 << 20,
        };
        tokens = new SnowflakeTokens(options, ServerClock, clock, ExchangeAsync);
    }

    /// <summary>Snowflake's time.</summary>
    public ServerClock ServerClock { get; }

    /// <summary>DATABASE.SCHEMA.PIPE, for messages.</summary>
    public string PipeName => $"{options.Database}.{options.Schema}.{options.Pipe}";

    /// <summary>The pattern that Snowflake asks of clients.</summary>
    static string UserAgent { get; } = string.Create(CultureInfo.InvariantCulture,
        $"SnowpipeStreamingSDK/{typeof(SnowpipeClient).Assembly.GetName().Version?.ToString(3)} ({RuntimeInformation.RuntimeIdentifier}) DOTNET/{Environment.Version} (app=thermal-streaming)");

    /// <summary>Address of the host that takes rows; asked for once and kept until <see cref="Forget"/> or until it cannot be reached.</summary>
    public async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref ingest) is { } known)
            return known;
        await discovering.WaitAsync(cancellationToken);
        try
        {
            if (ingest is not null)
                return ingest;
            const string operation = "discover the ingest host";
            var (_, body) = await CallAsync(operation, HttpMethod.Get, () => Task.FromResult(options.Url), "/v2/streaming/hostname", null, null, control: true, cancellationToken);
            var found = ParseHost(body, options.Url)
                ?? throw new SnowflakeException(new(operation, HttpStatusCode.OK, "", $"the answer is no host name: {SnowflakeError.OneLine(body)}"));
            Volatile.Write(ref ingest, found);
            return found;
        }
        finally
        {
            discovering.Release();
        }
    }

    /// <summary>The token that the ingest host takes, for <c>check</c>.</summary>
    public async Task<AccessToken> SignInAsync(CancellationToken cancellationToken)
        => await tokens.IngestAsync(await DiscoverAsync(cancellationToken), cancellationToken);

    /// <summary>Forgets host and tokens: the next call begins with discovery.</summary>
    public void Forget()
    {
        Volatile.Write(ref ingest, null);
        tokens.Forget();
    }

    /// <summary>Opens or reopens a channel. What was appended and not committed is gone; tokens of earlier opens are void.</summary>
    public async Task<OpenedChannel> OpenAsync(ChannelSession channel, CancellationToken cancellationToken)
    {
        var operation = $"open channel {channel.Name} of {PipeName}";
        var (status, body) = await CallAsync(operation, HttpMethod.Put, null, $"{pipePath}/channels/{Identifier.EncodeSegment(channel.Name)}?requestId={Guid.NewGuid():D}",
            () => JsonBody("{}"u8.ToArray()), channel, control: false, cancellationToken);
        using var document = ParseJson(operation, status, body);
        var token = Text(document.RootElement, "next_continuation_token");
        var channelStatus = document.RootElement.TryGetProperty("channel_status"u8, out var element) && element.ValueKind == JsonValueKind.Object
            ? ChannelStatus.Read(element)
            : throw new SnowflakeException(new(operation, status, "", "the answer has no channel_status"));
        // An invalid channel is opened with 200 too and may come without token; its status says more than the token's absence.
        if (token.Length == 0 && channelStatus.IsValid)
            throw new SnowflakeException(new(operation, status, "", "the answer has no next_continuation_token"));
        return new(token, channelStatus);
    }

    /// <summary>What has become of a channel's rows; null when the pipe does not know the channel.</summary>
    public async Task<ChannelStatus?> StatusAsync(ChannelSession channel, CancellationToken cancellationToken)
    {
        var operation = $"status of channel {channel.Name} of {PipeName}";
        var request = new System.Buffers.ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(request))
        {
            json.WriteStartObject();
            json.WriteStartArray("channel_names"u8);
            json.WriteStringValue(channel.Name);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        var bytes = request.WrittenSpan.ToArray();
        var (status, body) = await CallAsync(operation, HttpMethod.Post, null, $"{pipePath}:bulk-channel-status?requestId={Guid.NewGuid():D}", () => JsonBody(bytes), channel, control: false, cancellationToken);
        using var document = ParseJson(operation, status, body);
        if (!document.RootElement.TryGetProperty("channel_statuses"u8, out var statuses) || statuses.ValueKind != JsonValueKind.Object)
            throw new SnowflakeException(new(operation, status, "", "the answer has no channel_statuses"));
        return statuses.TryGetProperty(channel.Name, out var element) && element.ValueKind == JsonValueKind.Object ? ChannelStatus.Read(element) : null;
    }

    /// <summary>
    /// Appends rows to a named channel. A repetition with the same bytes and the same token is applied once, whether or not the first was.
    /// </summary>
    /// <returns>The continuation token of the next append.</returns>
    public async Task<string> AppendAsync(ChannelSession channel, string continuationToken, OffsetToken first, OffsetToken last, RowPart rows, CancellationToken cancellationToken)
    {
        var operation = $"append {rows.Rows} rows to channel {channel.Name} of {PipeName}";
        var tokenQuery = options.OffsetTokens == OffsetTokenForm.Range
            ? $"startOffsetToken={Identifier.EncodeQuery(first.ToString())}&endOffsetToken={Identifier.EncodeQuery(last.ToString())}"
            : $"offsetToken={Identifier.EncodeQuery(last.ToString())}";
        var (status, body) = await CallAsync(operation, HttpMethod.Post, null,
            $"{dataPath}/channels/{Identifier.EncodeSegment(channel.Name)}/rows?continuationToken={Identifier.EncodeQuery(continuationToken)}&{tokenQuery}&requestId={Guid.NewGuid():D}",
            () => RowsBody(rows), channel, control: false, cancellationToken);
        using var document = ParseJson(operation, status, body);
        var next = Text(document.RootElement, "next_continuation_token");
        return next.Length > 0 ? next : throw new SnowflakeException(SnowflakeError.Parse(operation, status, body, null));
    }

    /// <summary>Appends rows to the elastic channel: durable when this returns, and perhaps there twice when it was repeated.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="requestId">The same for each repetition of the same rows.</param>
    /// <param name="retryCount">0 for the first attempt.</param>
    /// <param name="affinity">Remembers the session header.</param>
    /// <param name="cancellationToken">Gives up; the rows may have been taken.</param>
    public async Task AppendElasticAsync(RowPart rows, Guid requestId, int retryCount, ChannelSession affinity, CancellationToken cancellationToken)
    {
        var operation = $"append {rows.Rows} rows to the elastic channel of {PipeName}";
        var (status, body) = await CallAsync(operation, HttpMethod.Post, null,
            string.Create(CultureInfo.InvariantCulture, $"{elasticPath}?requestId={requestId:D}&retryCount={retryCount}"), () => RowsBody(rows), affinity, control: false, cancellationToken);
        // Nothing will ever say that these rows are committed but this answer: a proxy's page with 200 is none.
        using var document = ParseJson(operation, status, body);
    }

    /// <summary>Drops a channel with all that is known of it.</summary>
    public Task DropAsync(ChannelSession channel, CancellationToken cancellationToken)
        => CallAsync($"drop channel {channel.Name} of {PipeName}", HttpMethod.Delete, null, $"{pipePath}/channels/{Identifier.EncodeSegment(channel.Name)}?requestId={Guid.NewGuid():D}", null, channel, control: false, cancellationToken);

    /// <summary>Asks the control host for nothing, without signing in: whether it answers, and what time it has.</summary>
    public async Task<HttpStatusCode> PingAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, options.Url, "/");
        using var response = await SendAsync("reach the account", request, cancellationToken);
        return response.StatusCode;
    }

    /// <summary>Reads a discovery answer: a JSON object with <c>hostname</c>, a JSON text, or the bare name. Null when it is none of them.</summary>
    internal static Uri? ParseHost(string body, Uri control)
    {
        var text = body.Trim();
        if (text.StartsWith('{') || text.StartsWith('"'))
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                text = document.RootElement.ValueKind == JsonValueKind.Object ? Text(document.RootElement, "hostname") : document.RootElement.GetString() ?? "";
            }
            catch (JsonException)
            {
                return null;
            }
        }
        var authority = text.Trim().TrimEnd('/');
        if (authority.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0)
            authority = authority[(scheme + 3)..];
        if (authority.Length == 0 || authority.Any(letter => char.IsWhiteSpace(letter) || letter is '/' or '?' or '#' or '@' or '<')
            || !Uri.TryCreate($"{control.Scheme}://{AccountIdentifier.NormaliseHost(authority)}", UriKind.Absolute, out var found))
            return null;
        // A local stand-in listens on one port; the name it gives has none.
        return found.IsDefaultPort && !control.IsDefaultPort ? new UriBuilder(found) { Port = control.Port }.Uri : found;
    }

    async Task<string> ExchangeAsync(Uri host, CancellationToken cancellationToken)
    {
        const string operation = "exchange the key-pair JWT for a scoped token";
        var scope = host.Host + (options.Role.Length > 0 ? $" session:role:{options.Role}" : "");
        for (var attempt = 0; ; attempt++)
        {
            var jwt = tokens.CreateJwt();
            using var request = Request(HttpMethod.Post, options.Url, "/oauth/token");
            request.Headers.Authorization = new("Bearer", jwt.Text);
            List<KeyValuePair<string, string>> form = [new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), new("scope", scope)];
            // Both places are in use; a server that looks only into the form gets it there too.
            if (attempt > 0)
                form.Add(new("assertion", jwt.Text));
            request.Content = new FormUrlEncodedContent(form);
            using var response = await SendAsync(operation, request, cancellationToken);
            var body = await ReadAsync(operation, response, cancellationToken);
            if (response.IsSuccessStatusCode)
                return ParseToken(body) ?? throw new SnowflakeException(new(operation, response.StatusCode, "", "the answer holds no token"));
            if (attempt > 0 || response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest))
                throw new SnowflakeException(ReadError(operation, response, body));
            // The first refusal also told the server's time, by which the second JWT is made.
            tokens.ReadAgain();
        }
    }

    static string? ParseToken(string body)
    {
        var text = body.Trim();
        if (text.StartsWith('{') || text.StartsWith('"'))
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                text = document.RootElement.ValueKind != JsonValueKind.Object ? document.RootElement.GetString() ?? ""
                    : Text(document.RootElement, "token") is { Length: > 0 } token ? token : Text(document.RootElement, "access_token");
            }
            catch (JsonException)
            {
                return null;
            }
        }
        return text.Length > 0 && IsVisible(text) ? text : null;
    }

    /// <summary>Whether a text from outside may go into a header; anything else would make every request that carries it fail.</summary>
    internal static bool IsVisible(string text) => text.All(letter => letter is > ' ' and <= '~');

    /// <summary>One call. A 401 drops the token that was used and is tried once more with a new one: the same request, byte for byte.</summary>
    async Task<(HttpStatusCode Status, string Body)> CallAsync(
        string operation, HttpMethod method, Func<Task<Uri>>? target, string path, Func<HttpContent>? content, ChannelSession? channel, bool control, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var host = target is null ? await DiscoverAsync(cancellationToken) : await target();
            var token = control ? tokens.Control() : await tokens.IngestAsync(host, cancellationToken);
            using var request = Request(method, host, path);
            request.Headers.Authorization = new("Bearer", token.Text);
            request.Headers.TryAddWithoutValidation("X-Snowflake-Authorization-Token-Type", token.Type);
            if (channel?.Affinity is { } affinity)
                request.Headers.TryAddWithoutValidation("x-snowflake-session", affinity);
            request.Content = content?.Invoke();

            using var response = await SendAsync(operation, request, cancellationToken, ofIngest: !control);
            if (channel is not null)
                channel.Affinity = response.Headers.TryGetValues("x-snowflake-session", out var values) ? values.FirstOrDefault(IsVisible) : null;
            var body = await ReadAsync(operation, response, cancellationToken);
            var error = response.IsSuccessStatusCode ? SnowflakeError.InSuccess(operation, response.StatusCode, body) : ReadError(operation, response, body);
            if (error is null)
                return (response.StatusCode, body);
            if (error.IsSignInRefused)
            {
                tokens.Refused(token);
                if (attempt == 0)
                    continue;
            }
            throw new SnowflakeException(error);
        }
    }

    static HttpRequestMessage Request(HttpMethod method, Uri host, string path)
    {
        // Percent-encoding is done; Uri must not undo part of it.
        var uri = new Uri(host.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, uri) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        // Without Accept Snowflake answers 391902, and HttpClient sends none by itself.
        request.Headers.TryAddWithoutValidation("Accept", Json);
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        return request;
    }

    async Task<HttpResponseMessage> SendAsync(string operation, HttpRequestMessage request, CancellationToken cancellationToken, bool ofIngest = false)
    {
        var sent = clock.GetTimestamp();
        using var ceiling = new CancellationTokenSource(options.RequestTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ceiling.Token, cancellationToken);
        try
        {
            // The body is read here too, so that the ceiling covers it.
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, both.Token);
            ServerClock.Observe(response.Headers.Date, sent);
            WarnAboutClock();
            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            if (ofIngest)
                Volatile.Write(ref ingest, null);
            throw new SnowflakeException(new(operation, null, "", string.Create(CultureInfo.InvariantCulture, $"{request.RequestUri!.Authority} did not answer within {options.RequestTimeout.TotalSeconds:0.#} s")), e);
        }
        catch (HttpRequestException e)
        {
            // Perhaps the host moved: the next attempt asks for it again.
            if (ofIngest)
                Volatile.Write(ref ingest, null);
            throw new SnowflakeException(new(operation, null, "", SnowflakeError.OneLine($"{request.RequestUri!.Authority}: {(e.InnerException ?? e).Message}")), e);
        }
    }

    static async Task<string> ReadAsync(string operation, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            // Bytes, not text: a wrong charset in the header must not turn an answer into an exception.
            return Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (HttpRequestException e)
        {
            throw new SnowflakeException(new(operation, null, "", SnowflakeError.OneLine(e.Message)), e);
        }
    }

    SnowflakeError ReadError(string operation, HttpResponseMessage response, string body)
    {
        var error = SnowflakeError.Parse(operation, response.StatusCode, body, RetryAfter(response));
        // Redirects are not followed: where to says who answered in Snowflake's place.
        return (int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location
            ? error with { Text = SnowflakeError.OneLine($"sends on to {location}") }
            : error;
    }

    static ByteArrayContent JsonBody(byte[] json)
    {
        var content = new ByteArrayContent(json);
        content.Headers.ContentType = JsonType;
        return content;
    }

    static ReadOnlyMemoryContent RowsBody(RowPart rows)
    {
        var content = new ReadOnlyMemoryContent(rows.Gzip);
        content.Headers.ContentType = LinesType;
        content.Headers.ContentEncoding.Add("gzip");
        content.Headers.TryAddWithoutValidation("x-snowflake-uncompressed-content-length", rows.UncompressedBytes.ToString(CultureInfo.InvariantCulture));
        return content;
    }

    static JsonDocument ParseJson(string operation, HttpStatusCode status, string body)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            // Reported below with every other shape that is no object.
        }
        if (document?.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document?.Dispose();
        throw new SnowflakeException(new(operation, status, "", $"the answer is no JSON object: {SnowflakeError.OneLine(body)}"));
    }

    static string Text(JsonElement element, string name)
        => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > ServerClock.UtcNow => date - ServerClock.UtcNow,
        _ => null,
    };

    void WarnAboutClock()
    {
        if (warnedAboutClock || ServerClock.Offset is not { } offset || offset.Duration() < TimeSpan.FromSeconds(30))
            return;
        warnedAboutClock = true;
        LogClock(ServerClock.Say(offset), offset > TimeSpan.Zero ? "behind" : "ahead of");
    }

    public void Dispose()
    {
        http.Dispose();
        tokens.Dispose();
        discovering.Dispose();
    }

    [LoggerMessage(EventId = 400, Level = LogLevel.Warning, Message = "This machine's clock is {Offset} {Direction} Snowflake's. Signing in uses Snowflake's time, but readings carry this machine's: set the clock (timedatectl set-ntp true)")]
    partial void LogClock(string offset, string direction);
}
