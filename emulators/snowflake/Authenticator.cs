using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Checks the three kinds of bearer token: key-pair JWT (verified against a registered public key), scoped token (made and
/// signed here), programmatic access token.
/// </summary>
sealed class Authenticator
{
    // A log-in token is good for an hour after its issue, whatever its exp says.
    static readonly TimeSpan LongestJwt = TimeSpan.FromHours(1);
    static readonly TimeSpan AllowedSkew = TimeSpan.FromSeconds(60);

    readonly EmulatorSettings settings;
    readonly PublicKeys keys;
    readonly Faults faults;
    readonly ServerSecret secret;

    public Authenticator(EmulatorSettings settings, PublicKeys keys, Faults faults, ServerSecret secret)
    {
        this.settings = settings;
        this.keys = keys;
        this.faults = faults;
        this.secret = secret;
    }

    /// <summary>Checks a token of any kind.</summary>
    public Identity Authenticate(string? token)
    {
        if (string.IsNullOrEmpty(token))
            return new Identity(null, null, "390101", "Authorization header not found in the request data.");
        foreach (var accepted in settings.AccessTokens)
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(accepted), Encoding.UTF8.GetBytes(token)))
                return new Identity(settings.User, null, IsAccessToken: true);
        }
        if (Jwt.TryParse(token) is not { } jwt)
            return new Identity(null, null, "394400", "Programmatic access token is invalid.",
                new LoginFailure("394400", "PROGRAMMATIC_ACCESS_TOKEN_INVALID", "It is neither a JWT nor one of EMULATOR_PATS."));
        return jwt.Algorithm == "HS256" ? CheckScoped(jwt) : CheckKeyPair(jwt);
    }

    /// <summary>Exchanges a verified identity for a scoped token: itself a JWT with an expiry.</summary>
    /// <param name="identity">Whom the caller's own token speaks for.</param>
    /// <param name="scope">The requested scope, or null.</param>
    public string IssueScoped(Identity identity, string? scope)
    {
        var role = RoleIn(scope) ?? identity.Role;
        var now = faults.ServerTime;
        using var payload = new MemoryStream();
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            json.WriteString("iss", settings.Account);
            json.WriteString("sub", identity.User);
            json.WriteString("scope", scope ?? "");
            if (role is not null)
                json.WriteString("role", role);
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("exp", (now + settings.TokenLifetime).ToUnixTimeSeconds());
            json.WriteString("jti", Guid.NewGuid());
            json.WriteEndObject();
        }
        var head = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8) + "." + Base64Url.EncodeToString(payload.ToArray());
        return head + "." + Base64Url.EncodeToString(secret.Sign(Encoding.ASCII.GetBytes(head)));
    }

    /// <summary>The role in <c>session:role:NAME</c>, wherever it stands among the blank-separated parts.</summary>
    static string? RoleIn(string? scope) => scope?
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .FirstOrDefault(part => part.StartsWith("session:role:", StringComparison.OrdinalIgnoreCase))?["session:role:".Length..]
        .ToUpperInvariant();

    Identity CheckScoped(Jwt jwt)
    {
        var invalid = $"Invalid OAuth access token. [{Guid.NewGuid()}]";
        if (!CryptographicOperations.FixedTimeEquals(secret.Sign(jwt.Signed), jwt.Signature))
            return new Identity(null, null, "390303", invalid,
                new LoginFailure("390303", "OAUTH_ACCESS_TOKEN_INVALID", "This emulator did not make the token, or it was reset since. Ask for a new one."));
        if (jwt.Number("exp") is not { } expires || faults.ServerTime >= Jwt.Time(expires))
            return new Identity(null, null, "390318", $"OAuth access token expired. [{Guid.NewGuid()}]",
                new LoginFailure("390318", "OAUTH_ACCESS_TOKEN_EXPIRED", "Ask /oauth/token for a new one before the exp of the old one."));
        return new Identity(jwt.Text("sub"), jwt.Text("role"));
    }

    Identity CheckKeyPair(Jwt jwt)
    {
        static Identity Refuse(string code, string name, string advice) => new(null, null, "390144",
            $"JWT token is invalid. [{Guid.NewGuid()}]", new LoginFailure(code, name, advice));

        if (jwt.Algorithm != "RS256")
            return Refuse("394305", "JWT_TOKEN_INVALID_ALGORITHM", $"The header says alg {jwt.Algorithm}; it must be RS256.");
        var issuer = jwt.Text("iss");
        var subject = jwt.Text("sub");
        if (issuer is null || subject is null)
            return Refuse("390144", "JWT_TOKEN_INVALID", "The claims iss and sub are both needed.");
        var mark = issuer.IndexOf(".SHA256:", StringComparison.Ordinal);
        if (mark <= 0)
            return Refuse("390144", "JWT_TOKEN_INVALID", "iss must be ACCOUNT.USER.SHA256:<fingerprint>.");
        var fingerprint = issuer[(mark + 1)..];
        if (issuer[..mark] != subject)
            return Refuse("390144", "JWT_TOKEN_INVALID", "sub must be the ACCOUNT.USER that iss starts with.");
        if (subject.Any(char.IsLower))
            return Refuse("390144", "JWT_TOKEN_INVALID", "Account and user in iss and sub must be upper case.");
        // Some account names hold a dot themselves (X.GLOBAL).
        var dot = subject.StartsWith(settings.Account + ".", StringComparison.Ordinal)
            ? settings.Account.Length
            : subject.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == subject.Length - 1)
            return Refuse("390144", "JWT_TOKEN_INVALID", "sub must be ACCOUNT.USER, the account without region.");
        var (account, user) = (subject[..dot], subject[(dot + 1)..]);
        if (!IsOurs(account))
            return Refuse("394307", "JWT_TOKEN_INVALID_ACCOUNT", $"The account in iss is {account}; this one is {settings.Account} (EMULATOR_ACCOUNT).");

        if (jwt.Number("iat") is not { } issued || jwt.Number("exp") is not { } expires)
            return Refuse("394301", "JWT_TOKEN_MISSING_ISSUE_OR_EXPIRATION_TIME", "The claims iat and exp are both needed, as numbers.");
        var now = faults.ServerTime;
        var age = now - Jwt.Time(issued);
        if (age < -AllowedSkew || (settings.StrictJwtAge && age > AllowedSkew))
            return Refuse("394302", "JWT_TOKEN_INVALID_ISSUE_TIME",
                $"iat is {Math.Abs(age.TotalSeconds).ToString("0", CultureInfo.InvariantCulture)} s {(age < TimeSpan.Zero ? "ahead of" : "behind")} this server's clock; 60 s are allowed.");
        if (now >= Jwt.Time(expires) || age >= LongestJwt)
            return Refuse("394303", "JWT_TOKEN_INVALID_EXPIRATION_TIME", "The token has expired; it is good for one hour after iat at most.");

        var registered = keys.Of(user);
        if (registered.Count == 0)
            return Refuse("394300", "JWT_TOKEN_INVALID_USER_IN_ISSUER", $"User {user} has no public key here. {keys.Describe()}");
        var key = registered.FirstOrDefault(k => k.Fingerprint == fingerprint);
        if (key is null)
            return Refuse("394304", "JWT_TOKEN_INVALID_PUBLIC_KEY_FINGERPRINT_MISMATCH",
                $"iss carries {fingerprint}; the key registered for {user} has {registered[0].Fingerprint} (Base64 of the SHA-256 of its DER form).");
        if (!key.Rsa.VerifyData(jwt.Signed, jwt.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            return Refuse("394306", "JWT_TOKEN_INVALID_SIGNATURE", "The signature does not match the registered public key.");
        return new Identity(user, RoleIn(jwt.Text("scp")));
    }

    // The two spellings of an account name, with _ and with -, are the same account.
    bool IsOurs(string account) => settings.Account == "*"
        || account.Replace('_', '-') == settings.Account.Replace('_', '-');

    /// <summary>A JWT taken apart; nothing about it is verified yet.</summary>
    sealed class Jwt(string algorithm, JsonElement claims, byte[] signed, byte[] signature)
    {
        public string Algorithm { get; } = algorithm;
        public byte[] Signed { get; } = signed;
        public byte[] Signature { get; } = signature;

        public static Jwt? TryParse(string token)
        {
            var parts = token.Split('.');
            if (parts.Length != 3)
                return null;
            try
            {
                using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0]));
                using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
                if (header.RootElement.ValueKind != JsonValueKind.Object || claims.RootElement.ValueKind != JsonValueKind.Object)
                    return null;
                var algorithm = header.RootElement.TryGetProperty("alg", out var alg) && alg.ValueKind == JsonValueKind.String
                    ? alg.GetString()! : "none";
                return new Jwt(algorithm, claims.RootElement.Clone(), Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]),
                    Base64Url.DecodeFromChars(parts[2]));
            }
            catch (Exception e) when (e is JsonException or FormatException)
            {
                return null;
            }
        }

        public string? Text(string claim) =>
            claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

        public double? Number(string claim) =>
            claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

        /// <summary>A time claim counts seconds or, if it is that large, milliseconds.</summary>
        public static DateTimeOffset Time(double claim)
        {
            var ms = Math.Abs(claim) > 100_000_000_000 ? claim : claim * 1000;
            return DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Clamp(ms, -62_135_596_800_000d, 253_402_300_799_999d));
        }
    }
}
