using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Snowpipe Streaming v2 over REST. Knows the wire: hosts, tokens, headers, bodies, and which answers can be Snowflake's. Its only decision
/// is to sign in once more when a token is refused. One instance per process; thread-safe.
/// </summary>
/// <remarks>Snowflake documentation, "Snowpipe Streaming REST API (high-performance architecture)".</remarks>
sealed class SnowpipeClient : IDisposable
{
    static readonly MediaTypeHeaderValue JsonType = new("application/json");
    static readonly MediaTypeHeaderValue LinesType = new("application/x-ndjson");

    readonly SnowpipeOptions options;
    readonly SnowflakeTransport transport;
    readonly SnowflakeTokens tokens;
    readonly SemaphoreSlim discovering = new(1);
    readonly RequestIdentity discovery = new();
    readonly string pipePath;
    readonly string dataPath;
    readonly string elasticPath;
    Uri? ingest;

    public SnowpipeClient(SnowpipeOptions options, TimeProvider clock, ILogger<SnowpipeClient> logger, SnowflakeMetrics? metrics = null)
    {
        this.options = options;
        transport = new SnowflakeTransport(options.RequestTimeout, clock, logger, measured: metrics is null ? null : metrics.Measured);
        metrics?.Observe(transport.ServerClock);
        tokens = new SnowflakeTokens(options, transport, clock);
        var schema = $"databases/{Identifier.EncodeSegment(options.Database)}/schemas/{Identifier.EncodeSegment(options.Schema)}";
        var path = $"{schema}/pipes/{Identifier.EncodeSegment(options.Pipe)}";
        pipePath = "/v2/streaming/" + path;
        dataPath = "/v2/streaming/data/" + path;
        // A default pipe addressed by its table is created if missing; a pipe addressed by its own name must exist.
        elasticPath = options.DefaultPipeTable is { } table
            ? $"/v2/streaming/data/{schema}/tables/{Identifier.EncodeSegment(table)}/rows"
            : dataPath + "/channels/ELASTIC/rows";
    }

    /// <summary>Snowflake's time.</summary>
    public ServerClock ServerClock => transport.ServerClock;

    /// <summary>DATABASE.SCHEMA.PIPE, for messages.</summary>
    public string PipeName => $"{options.Database}.{options.Schema}.{options.Pipe}";

    /// <summary>
    /// Address of the host that takes rows. Looked up once and kept until <see cref="Forget"/> or until it cannot be reached.
    /// </summary>
    public async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref ingest) is { } known)
            return known;
        await discovering.WaitAsync(cancellationToken);
        try
        {
            if (ingest is not null)
                return ingest;
            var answer = await CallAsync(
                new("discover the ingest host", HttpMethod.Get, "/v2/streaming/hostname?", discovery) { IsControl = true },
                cancellationToken
            );
            var found =
                IngestHost.Parse(answer.Body, options.Url)
                ?? throw answer.Unusable(answer.Body.Length == 0 ? "the answer is empty" : "the answer is not a host name of Snowflake's");
            discovery.Answered();
            Volatile.Write(ref ingest, found);
            return found;
        }
        finally
        {
            discovering.Release();
        }
    }

    /// <summary>The token for the ingest host, for <c>check</c>.</summary>
    public async Task<AccessToken> SignInAsync(CancellationToken cancellationToken) =>
        await tokens.IngestAsync(await DiscoverAsync(cancellationToken), cancellationToken);

    /// <summary>Forgets host and tokens: the next call starts with discovery.</summary>
    public void Forget()
    {
        Volatile.Write(ref ingest, null);
        tokens.Forget();
    }

    /// <summary>Opens or reopens a channel. Uncommitted rows are gone; tokens of earlier opens are void.</summary>
    public async Task<OpenedChannel> OpenAsync(ChannelSession channel, CancellationToken cancellationToken)
    {
        var answer = await CallAsync(
            new($"open channel {channel.Name} of {PipeName}", HttpMethod.Put, $"{ChannelPath(pipePath, channel)}?", channel.Open)
            {
                Content = () => JsonBody("{}"u8.ToArray()),
                Channel = channel,
            },
            cancellationToken
        );
        using var document = answer.Json();
        var token = SnowflakeAnswer.Text(document.RootElement, "next_continuation_token");
        var status =
            document.RootElement.TryGetProperty("channel_status"u8, out var element) && element.ValueKind == JsonValueKind.Object
                ? ChannelStatus.Read(element)
                : throw answer.Unusable("the answer has no channel_status");
        // An invalid channel also opens with 200 and may come without a token; its status says more than the missing token.
        if (token.Length == 0 && status.IsValid)
            throw answer.Unusable("the answer has no next_continuation_token");
        channel.Open.Answered();
        return new(token, status);
    }

    /// <summary>Committed offset and row counts of a channel; null when the pipe does not know the channel.</summary>
    public async Task<ChannelStatus?> StatusAsync(ChannelSession channel, CancellationToken cancellationToken)
    {
        var request = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(request))
        {
            json.WriteStartObject();
            json.WriteStartArray("channel_names"u8);
            json.WriteStringValue(channel.Name);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        var bytes = request.WrittenSpan.ToArray();
        var answer = await CallAsync(
            new($"status of channel {channel.Name} of {PipeName}", HttpMethod.Post, $"{pipePath}:bulk-channel-status?", channel.Status)
            {
                Content = () => JsonBody(bytes),
                Channel = channel,
            },
            cancellationToken
        );
        using var document = answer.Json();
        if (!document.RootElement.TryGetProperty("channel_statuses"u8, out var statuses) || statuses.ValueKind != JsonValueKind.Object)
            throw answer.Unusable("the answer has no channel_statuses");
        if (!statuses.TryGetProperty(channel.Name, out var element))
        {
            channel.Status.Answered();
            return null;
        }
        if (element.ValueKind != JsonValueKind.Object)
            throw answer.Unusable("the channel's status in the answer is not an object");
        channel.Status.Answered();
        return ChannelStatus.Read(element);
    }

    /// <summary>
    /// Appends rows to a named channel. A repetition with the same bytes and token is applied only once, even if the first was applied.
    /// </summary>
    /// <returns>The continuation token for the next append.</returns>
    public async Task<string> AppendAsync(
        ChannelSession channel,
        string continuationToken,
        OffsetToken first,
        OffsetToken last,
        PendingAppend append,
        CancellationToken cancellationToken
    )
    {
        var offsets =
            $"startOffsetToken={Identifier.EncodeQuery(first.ToString())}&endOffsetToken={Identifier.EncodeQuery(last.ToString())}";
        var path = $"{ChannelPath(dataPath, channel)}/rows?continuationToken={Identifier.EncodeQuery(continuationToken)}&{offsets}&";
        var answer = await CallAsync(
            new($"append {append.Rows.Rows} rows to channel {channel.Name} of {PipeName}", HttpMethod.Post, path, append.Identity)
            {
                Content = () => RowsBody(append),
                Channel = channel,
            },
            cancellationToken
        );
        using var document = answer.Json();
        return SnowflakeAnswer.Text(document.RootElement, "next_continuation_token") is { Length: > 0 } next
            ? next
            : throw answer.Unusable("the answer has no next_continuation_token");
    }

    /// <summary>
    /// Appends rows to the elastic channel. They are durable when this returns; after a repetition they may be there twice.
    /// </summary>
    public async Task AppendElasticAsync(ChannelSession affinity, PendingAppend append, CancellationToken cancellationToken)
    {
        var answer = await CallAsync(
            new($"append {append.Rows.Rows} rows to the elastic channel of {PipeName}", HttpMethod.Post, $"{elasticPath}?", append.Identity)
            {
                Content = () => RowsBody(append),
                Channel = affinity,
            },
            cancellationToken
        );
        // This answer is the only sign that these rows are committed. Documented is {"message":"OK"}, and Snowflake's SDK looks for the
        // token.
        using var document = answer.Json();
        if (
            SnowflakeAnswer.Text(document.RootElement, "next_continuation_token").Length == 0
            && SnowflakeAnswer.Text(document.RootElement, "message") is not ("OK" or "ok" or "Success" or "SUCCESS")
        )
            throw answer.Unusable("the answer neither says OK nor has a next_continuation_token");
    }

    /// <summary>Drops a channel and everything known of it.</summary>
    public async Task DropAsync(ChannelSession channel, CancellationToken cancellationToken)
    {
        var answer = await CallAsync(
            new(
                $"drop channel {channel.Name} of {PipeName}",
                HttpMethod.Delete,
                $"{ChannelPath(pipePath, channel)}?",
                new RequestIdentity()
            )
            {
                Channel = channel,
            },
            cancellationToken
        );
        if (answer.Body.Length > 0)
            answer.Json().Dispose();
    }

    /// <summary>Checks, without signing in, that the control host answers, and reads its time.</summary>
    public async Task<HttpStatusCode> PingAsync(CancellationToken cancellationToken)
    {
        using var request = SnowflakeTransport.Request(HttpMethod.Get, options.Url, "/", token: null);
        return (await transport.SendAsync("reach the account", request, cancellationToken)).Status;
    }

    /// <summary>
    /// Makes one call. A 401 or 403 drops the token and is retried once with a new one: the same request, byte for byte. A 403, because the
    /// role of a token may have changed since it was made.
    /// </summary>
    async Task<SnowflakeAnswer> CallAsync(Call call, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var host = call.IsControl ? options.Url : await DiscoverAsync(cancellationToken);
            var token = call.IsControl ? tokens.Control() : await tokens.IngestAsync(host, cancellationToken);
            using var request = SnowflakeTransport.Request(call.Method, host, call.Path + call.Identity.NextAttempt(), token);
            if (call.Channel?.Affinity is { } affinity)
                request.Headers.TryAddWithoutValidation("x-snowflake-session", affinity);
            request.Content = call.Content?.Invoke();
            var answer = await SendAsync(call, request, cancellationToken);
            if (call.Channel is not null && answer.Session is not null)
                call.Channel.Affinity = answer.Session;
            if (answer.Error is not { } error)
                return answer;
            if (
                error.IsSignInRefused
                || (error.Status == HttpStatusCode.Forbidden && token.Type == AccessToken.Scoped && !error.IsPage && !error.IsNetworkPolicy)
            )
            {
                tokens.Refused(token);
                if (attempt == 0)
                    continue;
            }
            throw new SnowflakeException(error);
        }
    }

    async Task<SnowflakeAnswer> SendAsync(Call call, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await transport.SendAsync(call.Operation, request, cancellationToken);
        }
        catch (SnowflakeException e) when (e.Error.Status is null && !call.IsControl)
        {
            // Perhaps the host moved: the next attempt looks it up again.
            Volatile.Write(ref ingest, null);
            throw;
        }
    }

    static string ChannelPath(string pipe, ChannelSession channel) => $"{pipe}/channels/{Identifier.EncodeSegment(channel.Name)}";

    static ByteArrayContent JsonBody(byte[] json)
    {
        var content = new ByteArrayContent(json);
        content.Headers.ContentType = JsonType;
        return content;
    }

    static ReadOnlyMemoryContent RowsBody(PendingAppend append)
    {
        var content = new ReadOnlyMemoryContent(append.Rows.Body);
        content.Headers.ContentType = LinesType;
        content.Headers.ContentEncoding.Add("zstd");
        content.Headers.TryAddWithoutValidation(
            "x-snowflake-uncompressed-content-length",
            append.Rows.UncompressedBytes.ToString(CultureInfo.InvariantCulture)
        );
        content.Headers.TryAddWithoutValidation(
            "x-snowflake-min-append-timestamp-ms",
            append.HandedInAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)
        );
        return content;
    }

    public void Dispose()
    {
        transport.Dispose();
        tokens.Dispose();
        discovering.Dispose();
    }

    /// <summary>Parts of a call. <see cref="Path"/> ends where the identity of the attempt is added.</summary>
    sealed record Call(string Operation, HttpMethod Method, string Path, RequestIdentity Identity)
    {
        public Func<HttpContent>? Content { get; init; }

        public ChannelSession? Channel { get; init; }

        /// <summary>Whether the call goes to the account's host.</summary>
        public bool IsControl { get; init; }
    }
}
