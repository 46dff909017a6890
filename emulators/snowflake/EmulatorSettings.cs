using System.Globalization;
using System.Text;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The emulator's settings. <c>--help</c> prints each with its default.</summary>
sealed class EmulatorSettings
{
    /// <summary>HTTP port; 0 lets the system choose.</summary>
    public int Port { get; set; } = 8090;

    /// <summary>HTTPS port; null means no HTTPS, 0 lets the system choose.</summary>
    public int? HttpsPort { get; set; }

    /// <summary>Directory of rows, channels, certificates and the token key.</summary>
    public string DataDirectory { get; set; } = "/data";

    /// <summary>Directories of the *.sql files that declare tables, stages and pipes, separated by commas.</summary>
    public string SqlDirectory { get; set; } = "/sql/streaming,/sql/classic";

    /// <summary>Classic Snowpipe's queue and bucket; null switches it off.</summary>
    public LoaderSettings? Loader { get; set; }

    /// <summary>Replaces &lt;bucket&gt; in the SQL files; null leaves it unchanged.</summary>
    public string? Bucket { get; set; }

    /// <summary>Replaces <c>inverter-data/</c> after it; null leaves it unchanged.</summary>
    public string? Prefix { get; set; }

    /// <summary>Directory of public keys, or one key file. It may appear after the start.</summary>
    public string KeysPath { get; set; } = "/keys";

    /// <summary>Account accepted in a key-pair JWT, upper case; <c>*</c> accepts any.</summary>
    public string Account { get; set; } = "LOCAL-DEMO";

    /// <summary>The user that every key belongs to if no file is named after it, upper case. Access tokens speak for this user.</summary>
    public string User { get; set; } = "THERMAL_STREAMING_USER";

    /// <summary>Accepted programmatic access tokens.</summary>
    public IReadOnlyList<string> AccessTokens { get; set; } = [];

    /// <summary>Time from an append to its rows being visible. 0 commits before the append is answered.</summary>
    public TimeSpan CommitDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Answer of host discovery; null: the host of the request.</summary>
    public string? IngestHost { get; set; }

    /// <summary>Shape of the answer of host discovery.</summary>
    public AnswerFormat HostnameFormat { get; set; }

    /// <summary>Shape of the answer of the token endpoint.</summary>
    public AnswerFormat TokenFormat { get; set; }

    /// <summary>How long a scoped token is valid.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A channel that nobody has touched for this long is deleted.</summary>
    public TimeSpan ChannelExpiry { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Apply Snowflake's per-channel rates and the channel count per pipe.</summary>
    public bool Limits { get; set; } = true;

    /// <summary>Refuse a key-pair JWT older than 60 s, as Snowflake does for driver log-ins (394302).</summary>
    public bool StrictJwtAge { get; set; }

    /// <summary>Least severe level to log.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>Reads and checks the settings. Problems are in <see cref="Settings.Problems"/> afterwards.</summary>
    public static EmulatorSettings Load(Settings settings)
    {
        var loaded = new EmulatorSettings();
        loaded.Port = settings.WholeNumber("EMULATOR_PORT", loaded.Port, 0, 65535, "HTTP port; 0 takes any free one.");
        loaded.HttpsPort = HttpsPortOf(
            settings,
            settings.OptionalText(
                "EMULATOR_HTTPS_PORT",
                "HTTPS port; off if not set. The certificate is made at start; a client trusts it through tls/ca.pem in EMULATOR_DATA."
            )
        );
        loaded.DataDirectory = settings.Text("EMULATOR_DATA", loaded.DataDirectory, "Directory for rows, channels and certificates.");
        loaded.SqlDirectory = settings.Text("EMULATOR_SQL", loaded.SqlDirectory, "Directories whose *.sql files declare tables and pipes.");
        loaded.KeysPath = settings.Text(
            "EMULATOR_KEYS",
            loaded.KeysPath,
            "Directory of public keys *.pub and *.pem, or one such file. USER.pub and USER_2.pub belong to USER. May appear later."
        );
        loaded.User = settings
            .Text("EMULATOR_USER", loaded.User, "User that every key belongs to if no key file carries this name.")
            .ToUpperInvariant();
        loaded.Account = settings
            .Text("EMULATOR_ACCOUNT", loaded.Account, "Account in iss and sub of a key-pair JWT; * accepts any.")
            .ToUpperInvariant();
        loaded.AccessTokens = AccessTokensOf(
            settings,
            settings.OptionalText("EMULATOR_PATS", "Accepted programmatic access tokens, comma separated, or a file with one per line.")
        );
        loaded.CommitDelay = settings.Duration(
            "EMULATOR_COMMIT_DELAY",
            loaded.CommitDelay,
            TimeSpan.Zero,
            TimeSpan.FromDays(1),
            "Time from an append until its rows are visible."
        );
        loaded.IngestHost = settings.OptionalText(
            "EMULATOR_HOST",
            "The host name that host discovery answers; if not set, the host of the request."
        );
        loaded.HostnameFormat = settings.Choice(
            "EMULATOR_HOSTNAME_FORMAT",
            loaded.HostnameFormat,
            "Host discovery answers bare text, as seen live, or JSON, as documented."
        );
        loaded.TokenFormat = settings.Choice(
            "EMULATOR_TOKEN_FORMAT",
            loaded.TokenFormat,
            "The token endpoint answers a bare JWT, as seen live, or JSON, as documented."
        );
        loaded.TokenLifetime = settings.Duration(
            "EMULATOR_TOKEN_LIFETIME",
            loaded.TokenLifetime,
            TimeSpan.FromSeconds(1),
            TimeSpan.FromDays(1),
            "Lifetime of a scoped token."
        );
        loaded.ChannelExpiry = settings.Duration(
            "EMULATOR_CHANNEL_EXPIRY",
            loaded.ChannelExpiry,
            TimeSpan.FromSeconds(1),
            TimeSpan.FromDays(3650),
            "An idle channel is deleted after this."
        );
        loaded.Limits = settings.Flag(
            "EMULATOR_LIMITS",
            loaded.Limits,
            "10 requests/s and 20 MB/s per channel, 2,000 channels per pipe. (A request body never exceeds 4 MiB.)"
        );
        loaded.StrictJwtAge = settings.Flag(
            "EMULATOR_JWT_STRICT",
            loaded.StrictJwtAge,
            "Refuse a key-pair JWT older than 60 s, error 394302."
        );
        (loaded.Loader, loaded.Bucket, loaded.Prefix) = LoaderSettings.Load(settings);
        loaded.LogLevel = settings.Choice("LOG_LEVEL", loaded.LogLevel, "Least severe level that is logged.");
        return loaded;
    }

    /// <summary>Checks that the directories exist and can be used, which <see cref="Load"/> does not.</summary>
    public void CheckDirectories(Settings settings)
    {
        foreach (var directory in SqlReader.Split(SqlDirectory).Where(directory => !Directory.Exists(directory)))
        {
            settings.Problem(
                $"EMULATOR_SQL is '{directory}', which is not a directory; it must hold the *.sql files that declare tables and pipes. "
                    + "Several directories are separated by commas."
            );
        }
        try
        {
            Directory.CreateDirectory(DataDirectory);
            var probe = Path.Combine(DataDirectory, ".write-test");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem(
                $"EMULATOR_DATA is '{DataDirectory}', which cannot be written ({Settings.Reason(e)}); "
                    + $"give user {Environment.UserName} the directory, or set another."
            );
        }
    }

    static int? HttpsPortOf(Settings settings, string? value)
    {
        if (value is null)
            return null;
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535)
            return port;
        settings.Problem($"EMULATOR_HTTPS_PORT is '{value}'; it must be a whole number, 0 to 65535, or not set.");
        return null;
    }

    static string[] AccessTokensOf(Settings settings, string? value)
    {
        if (value is null)
            return [];
        try
        {
            return (File.Exists(value) ? File.ReadAllText(value) : value).Split(
                [',', '\n', '\r'],
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem(
                $"EMULATOR_PATS names a file that cannot be read ({Settings.Reason(e)}); "
                    + "make it readable, or list the tokens themselves."
            );
            return [];
        }
    }

    /// <summary>The text of <c>--help</c>.</summary>
    public static string Help()
    {
        var settings = new Settings(new ConfigurationBuilder().Build());
        Load(settings);
        var text = new StringBuilder(
            """
            Snowflake emulator: a local Snowpipe Streaming v2 endpoint that keeps its rows on disk.

            Usage:
              ThermalStreaming.SnowflakeEmulator               run until SIGTERM or Ctrl-C
              ThermalStreaming.SnowflakeEmulator healthcheck   exit 0 if the emulator on EMULATOR_PORT answers, else 1
              ThermalStreaming.SnowflakeEmulator sql [--json] [--read-only] [FILE]
                                                               run SQL from a file or standard input on the committed rows
              ThermalStreaming.SnowflakeEmulator --help        this text

            Settings, from the environment, with their defaults:

            """
        ).Append('\n');
        foreach (var (key, otherwise, description) in settings.Entries)
            text.Append(CultureInfo.InvariantCulture, $"  {key, -26}{(otherwise.Length == 0 ? "not set" : otherwise), -24}{description}\n");
        return text.Append(
                """

                Exit codes: 0 stopped on request, 1 crashed or the SQL could not be run, 78 a setting or a SQL file is wrong.
                """
            )
            .ToString();
    }
}
