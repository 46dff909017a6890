using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Snowflake;

/// <summary>
/// Requests to Snowflake and their answers at the level of HTTP: headers, time limit, redirects (never followed), clock. One instance per
/// process; thread-safe.
/// </summary>
sealed partial class SnowflakeTransport : IDisposable
{
    readonly TimeSpan requestTimeout;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly HttpClient http;
    bool warnedAboutClock;

    /// <param name="requestTimeout">Time limit of one call.</param>
    /// <param name="clock">Tells the time and makes timers.</param>
    /// <param name="logger">Receives warnings about a wrong clock.</param>
    /// <param name="mostBytes">Longest accepted answer.</param>
    /// <param name="measured">Wraps a connection so that its requests are measured.</param>
    public SnowflakeTransport(
        TimeSpan requestTimeout,
        TimeProvider clock,
        ILogger logger,
        int mostBytes = 1 << 20,
        Func<HttpMessageHandler, HttpMessageHandler>? measured = null
    )
    {
        this.requestTimeout = requestTimeout;
        this.clock = clock;
        this.logger = logger;
        ServerClock = new ServerClock(clock);
        var connection = new SocketsHttpHandler
        {
            // Addresses behind Snowflake's names change; a connection that lasts for ever would never notice.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
        };
        http = new HttpClient(measured?.Invoke(connection) ?? connection)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = mostBytes,
        };
    }

    /// <summary>Snowflake's time.</summary>
    public ServerClock ServerClock { get; }

    /// <summary>The form that Snowflake asks of clients.</summary>
    static string UserAgent { get; } =
        string.Create(
            CultureInfo.InvariantCulture,
            $"SnowpipeStreamingSDK/{typeof(SnowflakeTransport).Assembly.GetName().Version?.ToString(3)} "
                + $"({RuntimeInformation.RuntimeIdentifier}) DOTNET/{Environment.Version} (app=thermal-streaming)"
        );

    /// <summary>A request without a body.</summary>
    /// <param name="method">Its method.</param>
    /// <param name="host">Scheme, host and port.</param>
    /// <param name="path">Path and query, percent-encoded.</param>
    /// <param name="token">Signs it; null for none.</param>
    public static HttpRequestMessage Request(HttpMethod method, Uri host, string path, AccessToken? token)
    {
        // The path is already percent-encoded; Uri must not undo part of it.
        var uri = new Uri(
            host.GetLeftPart(UriPartial.Authority) + path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        var request = new HttpRequestMessage(method, uri)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        // Without Accept Snowflake answers 391902, and HttpClient does not send it by itself.
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token.Text);
            request.Headers.TryAddWithoutValidation("X-Snowflake-Authorization-Token-Type", token.Type);
        }
        return request;
    }

    /// <summary>Sends a request and reads the whole answer within the time limit of one call.</summary>
    /// <exception cref="SnowflakeException">There was no answer, or only part of one.</exception>
    public async Task<SnowflakeAnswer> SendAsync(string operation, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sent = clock.GetTimestamp();
        using var ceiling = new CancellationTokenSource(requestTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ceiling.Token, cancellationToken);
        try
        {
            // The body is read here too, so that the time limit covers it, and a truncated answer counts as a failure.
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, both.Token);
            ServerClock.Observe(response.Headers.Date, sent);
            WarnAboutClock();
            // Bytes, not text: a wrong charset in the header must not turn an answer into an exception.
            var body = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(both.Token));
            return new(operation, response.StatusCode, body, Session(response), Error(operation, response, body));
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SnowflakeException(
                new(
                    operation,
                    null,
                    "",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{request.RequestUri!.Authority} did not answer within {requestTimeout.TotalSeconds:0.#} s"
                    )
                ),
                e
            );
        }
        catch (HttpRequestException e)
        {
            throw new SnowflakeException(
                new(operation, null, "", SnowflakeError.OneLine($"{request.RequestUri!.Authority}: {(e.InnerException ?? e).Message}")),
                e
            );
        }
    }

    /// <summary>Whether a text from outside may go into a header; any other text would make every request with it fail.</summary>
    public static bool IsVisible(string text) => text.All(letter => letter is > ' ' and <= '~');

    static string? Session(HttpResponseMessage response) =>
        response.Headers.TryGetValues("x-snowflake-session", out var values)
            ? values.FirstOrDefault(value => value.Length > 0 && IsVisible(value))
            : null;

    SnowflakeError? Error(string operation, HttpResponseMessage response, string body)
    {
        var error = SnowflakeError.Of(operation, response.StatusCode, body, RetryAfter(response));
        // Redirects are not followed: their target shows who answered in Snowflake's place.
        return error is not null && (int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location
            ? error with
            {
                Text = SnowflakeError.OneLine($"redirects to {location}{(error.Text.Length > 0 ? $"; {error.Text}" : "")}"),
            }
            : error;
    }

    TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter switch
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

    public void Dispose() => http.Dispose();

    [LoggerMessage(
        EventId = 400,
        Level = LogLevel.Warning,
        Message = "This machine's clock is {Offset} {Direction} Snowflake's. Signing in uses Snowflake's time, but readings carry this "
            + "machine's: set the clock (timedatectl set-ntp true)"
    )]
    partial void LogClock(string offset, string direction);
}
