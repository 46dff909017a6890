using System.Net;
using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Holds the tokens, makes new ones before they expire, and lets concurrent callers share one refresh. Thread-safe.
/// </summary>
/// <remarks>
/// Works like Snowflake's own SDK 1.9.1: a key pair or access token signs in at the account's host and is exchanged there for a token that
/// is valid only at the ingest host. The role is a claim of the key-pair JWT, and part of the scope when an access token is exchanged.
/// </remarks>
sealed class SnowflakeTokens(SnowpipeOptions options, SnowflakeTransport transport, TimeProvider clock) : IDisposable
{
    /// <summary>For a scoped token whose expiry cannot be read; such tokens have been seen to live about ten minutes.</summary>
    internal static readonly TimeSpan AssumedLifetime = TimeSpan.FromMinutes(9);

    /// <summary>A request must arrive before its token expires.</summary>
    static readonly TimeSpan Early = TimeSpan.FromSeconds(60);

    readonly SemaphoreSlim refreshing = new(1);
    readonly RequestIdentity exchange = new();

    // As last read from the files.
    KeyPair? key = options.Key;
    string? pat = options.Pat;

    AccessToken? direct;
    AccessToken? scoped;

    /// <summary>A new JWT, dated by the server's clock.</summary>
    /// <exception cref="InvalidOperationException">There is no key pair, because an access token signs in.</exception>
    public KeyPairJwt CreateJwt() =>
        Volatile.Read(ref key) is { } pair && options.Account is { } account
            ? KeyPairJwt.Create(pair, account.Claim, options.User, transport.ServerClock.UtcNow, options.Role)
            : throw new InvalidOperationException("There is no key pair to make a JWT with.");

    /// <summary>The token for the control host.</summary>
    public AccessToken Control()
    {
        if (options.UsesPat)
            return new(Volatile.Read(ref pat)!, "PROGRAMMATIC_ACCESS_TOKEN", "", 0, Timeout.InfiniteTimeSpan);
        // A sign-in is judged by the age of its JWT (394302 after 60 s), so only the mode that has no other token keeps one.
        if (options.Auth == SnowpipeAuth.DirectJwt && Volatile.Read(ref direct) is { } known && IsFresh(known))
            return known;
        // Made without any call, so two callers at once do no harm.
        var jwt = CreateJwt();
        var token = new AccessToken(jwt.Text, "KEYPAIR_JWT", "", clock.GetTimestamp(), jwt.ExpiresAt - transport.ServerClock.UtcNow);
        Volatile.Write(ref direct, token);
        return token;
    }

    /// <summary>The token for the ingest host.</summary>
    /// <exception cref="SnowflakeException">The exchange failed.</exception>
    public async Task<AccessToken> IngestAsync(Uri host, CancellationToken cancellationToken)
    {
        if (options.Auth is SnowpipeAuth.DirectJwt or SnowpipeAuth.DirectPat)
            return Control();
        if (Current(host) is { } known)
            return known;
        await refreshing.WaitAsync(cancellationToken);
        try
        {
            // A caller that waited uses the token that the previous one fetched.
            if (Current(host) is { } fresh)
                return fresh;
            var text = await ExchangeAsync(host, cancellationToken);
            var expiry = KeyPairJwt.ReadExpiry(text);
            var lifetime = expiry is null ? AssumedLifetime : expiry.Value - transport.ServerClock.UtcNow;
            // A token that is already expired on arrival means a misread clock: use it once and let the server judge.
            scoped = new AccessToken(
                text,
                AccessToken.Scoped,
                host.Host,
                clock.GetTimestamp(),
                lifetime > TimeSpan.Zero ? lifetime : AssumedLifetime
            );
            return scoped;
        }
        finally
        {
            refreshing.Release();
        }
    }

    /// <summary>The server refused this token. A newer one fetched meanwhile by another caller stays.</summary>
    public void Refused(AccessToken token)
    {
        Interlocked.CompareExchange(ref direct, null, token);
        Interlocked.CompareExchange(ref scoped, null, token);
        // A scoped token is refused when it has expired; only a token signed or read here can be outdated.
        if (token.Type != AccessToken.Scoped)
            ReadAgain();
    }

    public void Forget()
    {
        Volatile.Write(ref direct, null);
        Volatile.Write(ref scoped, null);
    }

    /// <summary>
    /// The key or token in the files was refused. Perhaps it was rotated since it was read; reading it again avoids a restart.
    /// </summary>
    void ReadAgain()
    {
        if (options.ReadPat() is { } text)
            Volatile.Write(ref pat, text);
        // The finaliser disposes of the replaced key pair: another call may still be signing with it.
        if (options.ReadKey() is { } pair)
            Volatile.Write(ref key, pair);
    }

    async Task<string> ExchangeAsync(Uri host, CancellationToken cancellationToken)
    {
        var operation = options.UsesPat ? "exchange the access token for a scoped token" : "exchange the key-pair JWT for a scoped token";
        for (var attempt = 0; ; attempt++)
        {
            var signedIn = Control();
            using var request = SnowflakeTransport.Request(
                HttpMethod.Post,
                options.Url,
                $"/oauth/token?{exchange.NextAttempt()}",
                signedIn
            );
            request.Content = new FormUrlEncodedContent(Form(host, attempt > 0 ? signedIn : null));
            var answer = await transport.SendAsync(operation, request, cancellationToken);
            if (answer.Error is null)
            {
                var token =
                    ParseToken(answer.Body)
                    ?? throw new SnowflakeException(answer.Unusable("the answer holds no token").Error with { Text = Withheld(answer) });
                exchange.Answered();
                return token;
            }
            if (attempt > 0 || answer.Error.IsPage || answer.Status is not (HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest))
                throw new SnowflakeException(answer.Error);
            // The first refusal also gave the server's time, which dates the second JWT.
            ReadAgain();
        }
    }

    List<KeyValuePair<string, string>> Form(Uri host, AccessToken? again)
    {
        if (options.UsesPat)
        {
            return
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                new("scope", options.Role.Length > 0 ? $"{host.Host} session:role:{options.Role}" : host.Host),
                new("subject_token_type", "programmatic_access_token"),
            ];
        }
        List<KeyValuePair<string, string>> form =
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            new("scope", host.Host),
        ];
        // Both header and form are in use; this serves a server that looks only into the form.
        if (again is not null)
            form.Add(new("assertion", again.Text));
        return form;
    }

    // A JSON answer may hold a secret under an unknown name; a page or a word does not.
    static string Withheld(SnowflakeAnswer answer) =>
        answer.Body.AsSpan().TrimStart() is ['{' or '"', ..]
            ? "the answer holds no token"
            : answer.Unusable("the answer holds no token").Error.Text;

    /// <summary>
    /// A token in any form it comes in: plain text, a JSON text, or an object. All tokens seen so far are JWTs; anything else is not
    /// Snowflake's answer.
    /// </summary>
    internal static string? ParseToken(string body)
    {
        var text = body.Trim();
        if (text.StartsWith('{') || text.StartsWith('"'))
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                text =
                    document.RootElement.ValueKind != JsonValueKind.Object ? document.RootElement.GetString() ?? ""
                    : SnowflakeAnswer.Text(document.RootElement, "token") is { Length: > 0 } token ? token
                    : SnowflakeAnswer.Text(document.RootElement, "access_token");
            }
            catch (JsonException)
            {
                return null;
            }
        }
        return
            text.Split('.') is [{ Length: > 0 } header, { Length: > 0 } claims, { Length: > 0 } signature]
            && IsBase64Url(header)
            && IsBase64Url(claims)
            && IsBase64Url(signature)
            ? text
            : null;
    }

    static bool IsBase64Url(string text) => text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '=');

    AccessToken? Current(Uri host) => Volatile.Read(ref scoped) is { } token && token.Host == host.Host && IsFresh(token) ? token : null;

    bool IsFresh(AccessToken token)
    {
        // A token that lives only seconds (a stand-in's) must still be usable for most of that time.
        var early = token.Lifetime / 4 < Early ? token.Lifetime / 4 : Early;
        return clock.GetElapsedTime(token.MadeAt) < token.Lifetime - early;
    }

    public void Dispose() => refreshing.Dispose();
}
