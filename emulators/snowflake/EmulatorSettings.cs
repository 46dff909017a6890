using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Everything that can be set about the emulator, read from flat environment variables. See <see cref="Help"/> for each.</summary>
sealed class EmulatorSettings
{
    /// <summary>HTTP port; 0 lets the system choose. Default 8090.</summary>
    public int Port { get; set; } = 8090;

    /// <summary>HTTPS port; null means no HTTPS, 0 lets the system choose.</summary>
    public int? HttpsPort { get; set; }

    /// <summary>Directory of the table logs, the certificate and the token key.</summary>
    public string DataDirectory { get; set; } = "/data";

    /// <summary>Directory of the *.sql files that declare tables and pipes.</summary>
    public string SqlDirectory { get; set; } = "/sql/streaming";

    /// <summary>Directory of public keys, or one key file. It may appear after the start.</summary>
    public string KeysPath { get; set; } = "/keys";

    /// <summary>Account identifiers accepted in a key-pair JWT, upper case; <c>*</c> accepts any.</summary>
    public string Account { get; set; } = "LOCAL-DEMO";

    /// <summary>The user that every key belongs to if no file is named after it, upper case; also whom access tokens speak for.</summary>
    public string User { get; set; } = "THERMAL_STREAMING_USER";

    /// <summary>Time from an append to its rows being visible. 0 commits before the append is answered.</summary>
    public TimeSpan CommitDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What host discovery answers; null answers the host of the request.</summary>
    public string? IngestHost { get; set; }

    /// <summary>Host discovery answers <c>{"hostname": …}</c> as documented and not bare text as seen live.</summary>
    public bool HostnameAsJson { get; set; }

    /// <summary>The token endpoint answers <c>{"token": …}</c> as documented and not a bare JWT as seen live.</summary>
    public bool TokenAsJson { get; set; }

    /// <summary>How long a scoped token is good for.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A channel nobody touched for this long is deleted.</summary>
    public TimeSpan ChannelExpiry { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Programmatic access tokens that are accepted.</summary>
    public IReadOnlyList<string> AccessTokens { get; set; } = [];

    /// <summary>Apply Snowflake's per-channel rates and the channel count per pipe.</summary>
    public bool Limits { get; set; } = true;

    /// <summary>Refuse a key-pair JWT that is older than 60 s, which Snowflake does for driver log-ins (394302).</summary>
    public bool StrictJwtAge { get; set; }

    public const string Help = """
        Snowflake emulator: a local Snowpipe Streaming v2 endpoint with its rows on disk.

        Usage:
          ThermalStreaming.SnowflakeEmulator               run until SIGTERM or Ctrl-C
          ThermalStreaming.SnowflakeEmulator healthcheck   exit 0 if the emulator on EMULATOR_PORT answers, else 1
          ThermalStreaming.SnowflakeEmulator --help        this text

        Settings, all from the environment:
          EMULATOR_PORT             HTTP port (8090; 0 = any free port)
          EMULATOR_HTTPS_PORT       HTTPS port (not set = off; 0 = any free port). The certificate is made at start; clients
                                    trust it through <data>/tls/ca.pem
          EMULATOR_DATA             directory for rows, channels and certificates (/data)
          EMULATOR_SQL              directory whose *.sql files declare tables and pipes (/sql/streaming)
          EMULATOR_KEYS             directory of public keys *.pub, *.pem, or one such file (/keys). USER.pub and USER_2.pub
                                    belong to USER. May appear while the emulator runs
          EMULATOR_USER             user that every key belongs to if none is named after it (THERMAL_STREAMING_USER)
          EMULATOR_ACCOUNT          account in the JWT's iss and sub (LOCAL-DEMO; * = any)
          EMULATOR_PATS             accepted programmatic access tokens, comma separated, or a file with one per line (none)
          EMULATOR_COMMIT_DELAY     from append to visible rows (5s; 0 = at once)
          EMULATOR_HOST             answer of host discovery (the host of the request, without port)
          EMULATOR_HOSTNAME_FORMAT  text, as seen live, or json, as documented (text)
          EMULATOR_TOKEN_FORMAT     text, as seen live, or json, as documented (text)
          EMULATOR_TOKEN_LIFETIME   life of a scoped token (10m)
          EMULATOR_CHANNEL_EXPIRY   idle channels are deleted after this (30d)
          EMULATOR_LIMITS           on or off: 10 requests/s and 20 MB/s per channel, 2,000 channels per pipe (on).
                                    The 4 MiB limit of a request body is always on
          EMULATOR_JWT_STRICT       on refuses a key-pair JWT older than 60 s, error 394302 (off)

        Durations: 500ms, 5s, 10m, 2h, 30d, or seconds as a number.
        Exit codes: 0 stopped on request, 1 crashed, 78 a setting or a SQL file is wrong.
        """;

    /// <summary>Reads settings; every problem found is added to <paramref name="problems"/> as one sentence.</summary>
    /// <param name="get">Value of an environment variable, or null.</param>
    /// <param name="problems">Receives what is wrong; empty means the settings can be used.</param>
    public static EmulatorSettings Read(Func<string, string?> get, List<string> problems)
    {
        var settings = new EmulatorSettings();
        string? Value(string key) => get(key) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

        int? PortOf(string key)
        {
            if (Value(key) is not { } text)
                return null;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535)
                return port;
            problems.Add($"{key} is '{text}'; it must be a port number, 0 to 65535.");
            return null;
        }

        TimeSpan Span(string key, TimeSpan otherwise, TimeSpan least)
        {
            if (Value(key) is not { } text)
                return otherwise;
            if (Duration.TryParse(text, out var span) && span >= least)
                return span;
            problems.Add($"{key} is '{text}'; it must be a duration of at least {least.TotalSeconds} s, as in 500ms, 5s, 10m, 30d.");
            return otherwise;
        }

        bool Choice(string key, bool otherwise, string yes, string no)
        {
            if (Value(key) is not { } text)
                return otherwise;
            if (text.Equals(yes, StringComparison.OrdinalIgnoreCase))
                return true;
            if (text.Equals(no, StringComparison.OrdinalIgnoreCase))
                return false;
            problems.Add($"{key} is '{text}'; it must be {yes} or {no}.");
            return otherwise;
        }

        settings.Port = PortOf("EMULATOR_PORT") ?? settings.Port;
        settings.HttpsPort = PortOf("EMULATOR_HTTPS_PORT");
        settings.DataDirectory = Value("EMULATOR_DATA") ?? settings.DataDirectory;
        settings.SqlDirectory = Value("EMULATOR_SQL") ?? settings.SqlDirectory;
        settings.KeysPath = Value("EMULATOR_KEYS") ?? settings.KeysPath;
        settings.Account = (Value("EMULATOR_ACCOUNT") ?? settings.Account).ToUpperInvariant();
        settings.User = (Value("EMULATOR_USER") ?? settings.User).ToUpperInvariant();
        settings.CommitDelay = Span("EMULATOR_COMMIT_DELAY", settings.CommitDelay, TimeSpan.Zero);
        settings.TokenLifetime = Span("EMULATOR_TOKEN_LIFETIME", settings.TokenLifetime, TimeSpan.FromSeconds(1));
        settings.ChannelExpiry = Span("EMULATOR_CHANNEL_EXPIRY", settings.ChannelExpiry, TimeSpan.FromSeconds(1));
        settings.IngestHost = Value("EMULATOR_HOST");
        settings.HostnameAsJson = Choice("EMULATOR_HOSTNAME_FORMAT", false, "json", "text");
        settings.TokenAsJson = Choice("EMULATOR_TOKEN_FORMAT", false, "json", "text");
        settings.Limits = Choice("EMULATOR_LIMITS", true, "on", "off");
        settings.StrictJwtAge = Choice("EMULATOR_JWT_STRICT", false, "on", "off");

        if (Value("EMULATOR_PATS") is { } pats)
        {
            try
            {
                settings.AccessTokens = (File.Exists(pats) ? File.ReadAllText(pats) : pats)
                    .Split([',', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"EMULATOR_PATS names a file that cannot be read: {e.Message}");
            }
        }

        if (!Directory.Exists(settings.SqlDirectory))
            problems.Add($"EMULATOR_SQL is '{settings.SqlDirectory}', which is no directory; it must hold the *.sql files that declare tables and pipes.");
        try
        {
            Directory.CreateDirectory(settings.DataDirectory);
            var probe = Path.Combine(settings.DataDirectory, ".write-test");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"EMULATOR_DATA is '{settings.DataDirectory}', which cannot be written: {e.Message} Give this user (uid) the directory, or set another.");
        }
        return settings;
    }
}

/// <summary>Durations as people write them in environment variables.</summary>
static class Duration
{
    /// <summary>Parses <c>500ms</c>, <c>5s</c>, <c>10m</c> (also <c>10 min</c>), <c>2h</c>, <c>30d</c> or seconds as a plain number.</summary>
    public static bool TryParse(string text, out TimeSpan span)
    {
        span = default;
        var digits = text.AsSpan().Trim();
        var end = digits.Length;
        while (end > 0 && !char.IsAsciiDigit(digits[end - 1]))
            end--;
        double? unit = digits[end..].Trim() switch
        {
            "" or "s" or "sec" => 1,
            "ms" => 0.001,
            "m" or "min" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => null,
        };
        if (unit is null
            || !double.TryParse(digits[..end], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number * unit > 1e9)
            return false;
        span = TimeSpan.FromSeconds(number * unit.Value);
        return true;
    }
}
