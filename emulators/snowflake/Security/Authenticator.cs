using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Checks the three kinds of bearer token: a key-pair JWT, against the registered public keys; a scoped token, which this emulator has
/// signed; a programmatic access token, against the settings. Safe for concurrent use.
/// </summary>
sealed class Authenticator(EmulatorSettings settings, PublicKeys keys, Faults faults, ServerSecret secret)
{
    // Snowflake accepts a key-pair JWT for an hour after its issue, whatever its exp.
    static readonly TimeSpan LongestJwt = TimeSpan.FromHours(1);
    static readonly TimeSpan AllowedSkew = TimeSpan.FromSeconds(60);

    /// <summary>Checks a token of any kind.</summary>
    /// <exception cref="LoginException">The token is missing, or is not accepted.</exception>
    public Identity Authenticate(string? token)
    {
        if (string.IsNullOrEmpty(token))
        {
            throw new LoginException(
                "390101",
                "Authorization header not found in the request data.",
                "390101",
                "AUTHORIZATION_HEADER_NOT_FOUND",
                "Send the header Authorization: Bearer TOKEN."
            );
        }
        foreach (var accepted in settings.AccessTokens)
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(accepted), Encoding.UTF8.GetBytes(token)))
                return new Identity(settings.User, null, IsAccessToken: true);
        }
        if (Jwt.TryParse(token) is not { } jwt)
        {
            throw new LoginException(
                "394400",
                "Programmatic access token is invalid.",
                "394400",
                "PROGRAMMATIC_ACCESS_TOKEN_INVALID",
                "The token is neither a JWT nor one of EMULATOR_PATS."
            );
        }
        return jwt.Algorithm == "HS256" ? CheckScoped(jwt) : CheckKeyPair(jwt);
    }

    /// <summary>Makes a scoped token, which is itself a JWT with an expiry, for a verified identity.</summary>
    /// <param name="identity">The identity of the caller's own token.</param>
    /// <param name="scope">The requested scope; empty if none was requested.</param>
    public string IssueScoped(Identity identity, string scope)
    {
        var now = faults.ServerTime;
        var claims = new JsonObject
        {
            ["iss"] = settings.Account,
            ["sub"] = identity.User,
            ["scope"] = scope,
        };
        if ((RoleIn(scope) ?? identity.Role) is { } role)
            claims["role"] = role;
        claims["iat"] = now.ToUnixTimeSeconds();
        claims["exp"] = (now + settings.TokenLifetime).ToUnixTimeSeconds();
        claims["jti"] = Guid.NewGuid();
        var signed =
            Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)
            + "."
            + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()));
        return signed + "." + Base64Url.EncodeToString(secret.Sign(Encoding.ASCII.GetBytes(signed)));
    }

    /// <summary>The role in <c>session:role:NAME</c>, anywhere among the blank-separated parts of a scope.</summary>
    static string? RoleIn(string? scope) =>
        scope
            ?.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .FirstOrDefault(part => part.StartsWith("session:role:", StringComparison.OrdinalIgnoreCase))
            ?["session:role:".Length..].ToUpperInvariant();

    Identity CheckScoped(Jwt jwt)
    {
        if (!CryptographicOperations.FixedTimeEquals(secret.Sign(jwt.Signed), jwt.Signature))
        {
            throw new LoginException(
                "390303",
                $"Invalid OAuth access token. [{Guid.NewGuid()}]",
                "390303",
                "OAUTH_ACCESS_TOKEN_INVALID",
                "This emulator did not issue the token, or has had a new data volume since. Ask /oauth/token for a new one."
            );
        }
        if (!(faults.ServerTime < jwt.Time("exp")))
        {
            throw new LoginException(
                "390318",
                $"OAuth access token expired. [{Guid.NewGuid()}]",
                "390318",
                "OAUTH_ACCESS_TOKEN_EXPIRED",
                "Ask /oauth/token for a new token before the exp of the old one."
            );
        }
        return new Identity(jwt.Text("sub"), jwt.Text("role"));
    }

    Identity CheckKeyPair(Jwt jwt)
    {
        if (jwt.Algorithm != "RS256")
            throw Refused("394305", "JWT_TOKEN_INVALID_ALGORITHM", $"The header says alg {jwt.Algorithm}; it must be RS256.");
        var (account, user, fingerprint) = IssuerOf(jwt);
        // The two spellings of an account name, with _ and with -, mean the same account.
        if (settings.Account != "*" && account.Replace('_', '-') != settings.Account.Replace('_', '-'))
        {
            throw Refused(
                "394307",
                "JWT_TOKEN_INVALID_ACCOUNT",
                $"The account in iss is {account}; this one is {settings.Account} (EMULATOR_ACCOUNT)."
            );
        }
        CheckTimes(jwt);
        var registered = keys.Of(user);
        if (registered.Count == 0)
            throw Refused("394300", "JWT_TOKEN_INVALID_USER_IN_ISSUER", $"User {user} has no public key here. {keys.Describe()}");
        var key =
            registered.FirstOrDefault(k => k.Fingerprint == fingerprint)
            ?? throw Refused(
                "394304",
                "JWT_TOKEN_INVALID_PUBLIC_KEY_FINGERPRINT_MISMATCH",
                $"iss carries {fingerprint}; the key of {user} "
                    + $"is registered with {registered[0].Fingerprint} (Base64 of the SHA-256 of its DER form)."
            );
        if (!key.Rsa.VerifyData(jwt.Signed, jwt.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            throw Refused("394306", "JWT_TOKEN_INVALID_SIGNATURE", "The signature does not match the registered public key.");
        return new Identity(user, RoleIn(jwt.Text("scp")));
    }

    /// <summary>Account, user and fingerprint of <c>iss</c>, which must agree with <c>sub</c>.</summary>
    (string Account, string User, string Fingerprint) IssuerOf(Jwt jwt)
    {
        static LoginException Invalid(string advice) => Refused("390144", "JWT_TOKEN_INVALID", advice);

        if (jwt.Text("iss") is not { } issuer || jwt.Text("sub") is not { } subject)
            throw Invalid("The claims iss and sub are both needed.");
        var mark = issuer.IndexOf(".SHA256:", StringComparison.Ordinal);
        if (mark <= 0)
            throw Invalid("iss must be ACCOUNT.USER.SHA256:<fingerprint>.");
        if (issuer[..mark] != subject)
            throw Invalid("sub must be the ACCOUNT.USER that iss starts with.");
        if (subject.Any(char.IsLower))
            throw Invalid("Account and user in iss and sub must be upper case.");
        // Some account names contain a dot themselves (X.GLOBAL).
        var dot = subject.StartsWith(settings.Account + ".", StringComparison.Ordinal)
            ? settings.Account.Length
            : subject.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == subject.Length - 1)
            throw Invalid("sub must be ACCOUNT.USER, the account without region.");
        return (subject[..dot], subject[(dot + 1)..], issuer[(mark + 1)..]);
    }

    void CheckTimes(Jwt jwt)
    {
        if (jwt.Time("iat") is not { } issued || jwt.Time("exp") is not { } expires)
        {
            throw Refused("394301", "JWT_TOKEN_MISSING_ISSUE_OR_EXPIRATION_TIME", "The claims iat and exp are both needed, as numbers.");
        }
        var now = faults.ServerTime;
        var age = now - issued;
        if (age < -AllowedSkew || (settings.StrictJwtAge && age > AllowedSkew))
        {
            var distance = Math.Abs(age.TotalSeconds).ToString("0", CultureInfo.InvariantCulture);
            throw Refused(
                "394302",
                "JWT_TOKEN_INVALID_ISSUE_TIME",
                $"iat is {distance} s {(age < TimeSpan.Zero ? "ahead of" : "behind")} this server's clock; 60 s are allowed."
            );
        }
        if (now >= expires || age >= LongestJwt)
        {
            throw Refused(
                "394303",
                "JWT_TOKEN_INVALID_EXPIRATION_TIME",
                "The token has expired. A key-pair JWT is accepted for one hour after iat at most."
            );
        }
    }

    static LoginException Refused(string code, string name, string advice) =>
        new("390144", $"JWT token is invalid. [{Guid.NewGuid()}]", code, name, advice);
}
