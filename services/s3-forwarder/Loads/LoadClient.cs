using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Classic Snowpipe's REST API: asks what became of files, and names files to load. Signs in with its own key-pair JWT. A call is not
/// repeated here, except with a new JWT after a 401: the caller decides when to ask again. Thread-safe.
/// </summary>
sealed class LoadClient(LoadOptions options, TimeProvider clock, ILogger<LoadClient> logger) : IDisposable
{
    /// <summary>Most files that one call of insertFiles may name.</summary>
    public const int MostFiles = 5000;

    /// <summary>An answer holds at most 10,000 files of some 700 bytes, and keys can be longer.</summary>
    const int MostAnswerBytes = 24 << 20;

    /// <summary>Snowflake takes a JWT for an hour.</summary>
    static readonly TimeSpan jwtLifetime = TimeSpan.FromMinutes(54);

    static readonly string userAgent = $"thermal-streaming-s3-forwarder/{typeof(LoadClient).Assembly.GetName().Version?.ToString(3)}";

    readonly SnowflakeTransport transport = new(options.RequestTimeout, clock, logger, MostAnswerBytes);
    readonly Lock gate = new();
    KeyPair? key = options.Key;
    (string Text, long MadeAt)? jwt;

    public LoadOptions Options => options;

    /// <summary>Snowflake's time.</summary>
    public ServerClock Clock => transport.ServerClock;

    /// <summary>Asks what became of files in a time range.</summary>
    /// <param name="from">The first moment.</param>
    /// <param name="to">One past the last; null for everything until now, by Snowflake's own clock.</param>
    /// <param name="stop">Ends the call.</param>
    /// <exception cref="SnowflakeException">There was no answer, or not a usable one.</exception>
    public async Task<LoadPage> ScanAsync(DateTimeOffset from, DateTimeOffset? to, CancellationToken stop)
    {
        var answer = await SendAsync(
            $"ask for the load history of {options.FullPipe}",
            HttpMethod.Get,
            $"loadHistoryScan?startTimeInclusive={Time(from)}{(to is { } end ? $"&endTimeExclusive={Time(end)}" : "")}",
            null,
            stop
        );
        using var json = answer.Json();
        try
        {
            return Page(answer, json.RootElement);
        }
        catch (InvalidOperationException)
        {
            throw answer.Unusable("the answer holds half of a surrogate pair");
        }
    }

    static LoadPage Page(SnowflakeAnswer answer, JsonElement root)
    {
        if (!root.TryGetProperty("files", out var files) || files.ValueKind != JsonValueKind.Array)
            throw answer.Unusable("the answer has no list of files");
        return new LoadPage(
            [.. files.EnumerateArray().Select(LoadedFile.Read).OfType<LoadedFile>()],
            !root.TryGetProperty("completeResult", out var complete) || complete.ValueKind != JsonValueKind.False,
            DateTimeOffset.TryParse(
                SnowflakeAnswer.Text(root, "rangeEndTime"),
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var end
            )
                ? end
                : null
        );
    }

    /// <summary>Asks Snowpipe to load files. It skips a file whose path the pipe has read in the last 14 days.</summary>
    /// <param name="paths">Relative to the stage; at most <see cref="MostFiles"/>.</param>
    /// <param name="stop">Ends the call.</param>
    /// <returns>Paths that the pipe's PATTERN does not match; they will not be loaded.</returns>
    /// <exception cref="SnowflakeException">There was no answer, or a refusal. The call may be repeated.</exception>
    public async Task<IReadOnlyList<string>> InsertAsync(IReadOnlyCollection<string> paths, CancellationToken stop)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteStartArray("files"u8);
            foreach (var path in paths)
            {
                json.WriteStartObject();
                json.WriteString("path"u8, path);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        var answer = await SendAsync(
            $"name {paths.Count} files to {options.FullPipe}",
            HttpMethod.Post,
            "insertFiles?",
            body.WrittenMemory,
            stop
        );
        using var document = answer.Json();
        var root = document.RootElement;
        var status = SnowflakeAnswer.Text(root, "status") is { Length: > 0 } now ? now : SnowflakeAnswer.Text(root, "responseCode");
        if (!status.Equals("success", StringComparison.OrdinalIgnoreCase))
            throw answer.Unusable("the answer does not say success");
        return root.TryGetProperty("unmatchedPatternFiles", out var unmatched) && unmatched.ValueKind == JsonValueKind.Array
            ? [.. unmatched.EnumerateArray().Where(path => path.ValueKind == JsonValueKind.String).Select(path => path.GetString()!)]
            : [];
    }

    async Task<SnowflakeAnswer> SendAsync(
        string operation,
        HttpMethod method,
        string call,
        ReadOnlyMemory<byte>? body,
        CancellationToken stop
    )
    {
        var requestId = Guid.NewGuid();
        for (var attempt = 0; ; attempt++)
        {
            var separator = call.EndsWith('?') ? "" : "&";
            using var request = SnowflakeTransport.Request(
                method,
                options.Url,
                $"/v1/data/pipes/{Identifier.EncodeSegment(options.FullPipe)}/{call}{separator}requestId={requestId:D}",
                token: null
            );
            request.Headers.Remove("User-Agent");
            request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Jwt());
            if (body is { } bytes)
            {
                request.Content = new ReadOnlyMemoryContent(bytes);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            }
            var answer = await transport.SendAsync(operation, request, stop);
            if (answer.Error is null)
                return answer;
            if (answer.Status != HttpStatusCode.Unauthorized || attempt > 0)
                throw new SnowflakeException(answer.Error);
            // The refusal gave Snowflake's time, and the key may have been rotated since it was read.
            lock (gate)
            {
                jwt = null;
                key = options.ReadKey() ?? key;
            }
        }
    }

    string Jwt()
    {
        lock (gate)
        {
            if (jwt is { } known && clock.GetElapsedTime(known.MadeAt) < jwtLifetime)
                return known.Text;
            if (key is null || options.Account is null)
                throw new InvalidOperationException("There is no key pair to make a JWT with.");
            var made = KeyPairJwt.Create(key, options.Account.Claim, options.User, Clock.UtcNow);
            jwt = (made.Text, clock.GetTimestamp());
            return made.Text;
        }
    }

    static string Time(DateTimeOffset time) =>
        Identifier.EncodeQuery(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));

    public void Dispose() => transport.Dispose();
}
