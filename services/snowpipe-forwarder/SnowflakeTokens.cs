namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What goes behind <c>Authorization: Bearer</c>.</summary>
/// <param name="Text">The token: a secret.</param>
/// <param name="Type">Value of <c>X-Snowflake-Authorization-Token-Type</c>.</param>
/// <param name="Host">The ingest host it was made for.</param>
/// <param name="MadeAt">Timestamp of the monotonic clock.</param>
/// <param name="Lifetime">How long it is valid from then on.</param>
sealed record AccessToken(string Text, string Type, string Host, long MadeAt, TimeSpan Lifetime);

/// <summary>
/// Holds the tokens, makes new ones before they expire, and lets concurrent callers share one refresh. Thread-safe.
/// </summary>
sealed class SnowflakeTokens(SnowpipeOptions options, ServerClock serverClock, TimeProvider clock, Func<Uri, CancellationToken, Task<string>> exchange) : IDisposable
{
    /// <summary>For a scoped token whose expiry cannot be read; they have been seen to live about ten minutes.</summary>
    static readonly TimeSpan AssumedLifetime = TimeSpan.FromMinutes(9);

    /// <summary>A request that leaves with a token must arrive before it expires.</summary>
    static readonly TimeSpan Early = TimeSpan.FromSeconds(60);

    readonly SemaphoreSlim refreshing = new(1);
    // Of the files as they were last read.
    KeyPair? key = options.Key;
    string? pat = options.Pat;

    AccessToken? direct;
    AccessToken? scoped;

    /// <summary>A new JWT by the server's clock.</summary>
    /// <exception cref="InvalidOperationException">There is no key pair (<see cref="SnowpipeAuth.Pat"/>).</exception>
    public KeyPairJwt CreateJwt() => Volatile.Read(ref key) is { } pair && options.Account is { } account
        ? KeyPairJwt.Create(pair, account.Claim, options.User, serverClock.UtcNow)
        : throw new InvalidOperationException("There is no key pair to make a JWT with.");

    /// <summary>For the control host.</summary>
    public AccessToken Control()
    {
        if (options.Auth == SnowpipeAuth.Pat)
            return new(Volatile.Read(ref pat)!, "PROGRAMMATIC_ACCESS_TOKEN", "", 0, Timeout.InfiniteTimeSpan);
        // A sign-in is judged by how long ago its JWT was made (394302 after 60 s), so only the mode that has nothing else keeps one.
        if (options.Auth == SnowpipeAuth.DirectJwt && Volatile.Read(ref direct) is { } known && IsFresh(known))
            return known;
        // Made without any call, so two callers at once do no harm.
        var jwt = CreateJwt();
        var token = new AccessToken(jwt.Text, "KEYPAIR_JWT", "", clock.GetTimestamp(), jwt.ExpiresAt - serverClock.UtcNow);
        Volatile.Write(ref direct, token);
        return token;
    }

    /// <summary>For the ingest host.</summary>
    public async Task<AccessToken> IngestAsync(Uri host, CancellationToken cancellationToken)
    {
        if (options.Auth != SnowpipeAuth.ScopedToken)
            return Control();
        if (Current(host) is { } known)
            return known;
        await refreshing.WaitAsync(cancellationToken);
        try
        {
            // Whoever waited finds what the one before him fetched.
            if (Current(host) is { } fresh)
                return fresh;
            var text = await exchange(host, cancellationToken);
            var expiry = KeyPairJwt.ReadExpiry(text);
            var lifetime = expiry is null ? AssumedLifetime : expiry.Value - serverClock.UtcNow;
            // A token that is expired on arrival is a clock that was misread; it is used once and judged by the server.
            scoped = new AccessToken(text, "OAUTH", host.Host, clock.GetTimestamp(), lifetime > TimeSpan.Zero ? lifetime : AssumedLifetime);
            return scoped;
        }
        finally
        {
            refreshing.Release();
        }
    }

    /// <summary>The server refused this token. A newer one that somebody else fetched meanwhile stays.</summary>
    public void Refused(AccessToken token)
    {
        Interlocked.CompareExchange(ref direct, null, token);
        Interlocked.CompareExchange(ref scoped, null, token);
        // A scoped token is refused when it has expired; only what was signed or read here can be out of date.
        if (options.Auth != SnowpipeAuth.ScopedToken)
            ReadAgain();
    }

    /// <summary>What the files hold was refused. Perhaps the key or the access token was rotated since they were read: nobody should have to restart for that.</summary>
    public void ReadAgain()
    {
        if (options.ReadPat() is { } text)
            Volatile.Write(ref pat, text);
        // A pair that is replaced is left to the finaliser: another call may be signing with it.
        if (options.ReadKey() is { } pair)
            Volatile.Write(ref key, pair);
    }

    public void Forget()
    {
        Volatile.Write(ref direct, null);
        Volatile.Write(ref scoped, null);
    }

    AccessToken? Current(Uri host) => Volatile.Read(ref scoped) is { } token && token.Host == host.Host && IsFresh(token) ? token : null;

    bool IsFresh(AccessToken token)
    {
        // A token that lives only seconds (a stand-in's) must still be used for most of them.
        var early = token.Lifetime / 4 < Early ? token.Lifetime / 4 : Early;
        return clock.GetElapsedTime(token.MadeAt) < token.Lifetime - early;
    }

    public void Dispose() => refreshing.Dispose();
}
