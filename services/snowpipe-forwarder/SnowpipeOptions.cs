using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Settings that the snowpipe-forwarder needs to reach its table. Read once at start; <see cref="Key"/> lives as long as the process.
/// </summary>
sealed class SnowpipeOptions
{
    /// <summary>Null only if <see cref="Settings.Problems"/> says why.</summary>
    public AccountIdentifier? Account { get; private init; }

    public string User { get; private init; } = "";

    /// <summary>Empty: the user's default role.</summary>
    public string Role { get; private init; } = "";

    public string Database { get; private init; } = "";

    public string Schema { get; private init; } = "";

    public string Pipe { get; private init; } = "";

    /// <summary>
    /// The table whose default pipe <see cref="Pipe"/> is; null for a pipe that somebody created. Snowflake creates a default pipe with the
    /// first open or elastic append.
    /// </summary>
    public string? DefaultPipeTable { get; private init; }

    /// <summary>Control host; its scheme, and its port if it names one, apply to the ingest host too.</summary>
    public Uri Url { get; private init; } = new("https://localhost");

    public SnowpipeAuth Auth { get; private init; }

    public string KeyFile { get; private init; } = AccountSettings.DefaultKeyFile;

    /// <summary>Whether an access token signs in rather than a key pair.</summary>
    public bool UsesPat => Auth is SnowpipeAuth.Pat or SnowpipeAuth.DirectPat;

    /// <summary>Null when <see cref="UsesPat"/>.</summary>
    public KeyPair? Key { get; private init; }

    /// <summary>Secret. Null unless <see cref="UsesPat"/>.</summary>
    public string? Pat { get; private init; }

    /// <summary>The file that <see cref="Pat"/> comes from; null if it comes from the environment.</summary>
    public string? PatFile { get; private init; }

    /// <summary>First part of every channel name.</summary>
    public string ChannelPrefix { get; private init; } = "THERMAL";

    public SnowpipeIngestion Ingestion { get; private init; }

    /// <summary>The rules that rows must keep; the built-in set has none for thermal readings.</summary>
    public ValidationRules Rules { get; private init; } = ValidationRules.Default;

    /// <summary>How to treat rows that break them.</summary>
    public InvalidRows Validation { get; private init; }

    public int MaxReadings { get; private init; } = 10_000;

    public int MaxBytes { get; private init; } = 4 << 20;

    public TimeSpan Linger { get; private init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time limit of one call.</summary>
    public TimeSpan RequestTimeout { get; private init; } = TimeSpan.FromSeconds(30);

    /// <summary>If no commit comes for this long while rows are outstanding, the channel is opened again.</summary>
    public TimeSpan CommitTimeout { get; private init; } = TimeSpan.FromSeconds(120);

    /// <summary>Appends per second and channel.</summary>
    public int RequestsPerSecond { get; private init; } = 10;

    /// <summary>Uncompressed bytes per second and channel.</summary>
    public long BytesPerSecond { get; private init; } = 20_000_000;

    public TimeSpan StatisticsInterval { get; private init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether <c>check</c> also sends a row.</summary>
    public bool Probe { get; private init; }

    string? Passphrase { get; init; }

    /// <summary>The names of this installation, for <see cref="Explanation.For"/>.</summary>
    public (string Placeholder, string Name)[] Names =>
        [("<db>", Database), ("<schema>", Schema), ("<pipe>", Pipe), ("<role>", Role), ("<user>", User.ToUpperInvariant())];

    /// <summary>The key as its file has it now; null if it cannot be read, or there is none.</summary>
    public KeyPair? ReadKey() => UsesPat ? null : KeyPair.Load(KeyFile, Passphrase, out _);

    /// <summary>The access token as its file has it now; null if the file is missing or holds none.</summary>
    public string? ReadPat()
    {
        if (PatFile is null)
            return null;
        try
        {
            return File.ReadAllText(PatFile).Trim() is { Length: > 0 } text && SnowflakeTransport.IsVisible(text) ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads and checks every setting; problems go to <paramref name="settings"/>.</summary>
    public static SnowpipeOptions Load(Settings settings)
    {
        var file = settings.Text(
            SnowflakeConfigFile.Setting,
            SnowflakeConfigFile.DefaultPath,
            "JSON file with user, account, url, private_key_file, role, database, schema, pipe, channel_name; the environment wins."
        );
        if (SnowflakeConfigFile.Problem(file, required: settings.Has(SnowflakeConfigFile.Setting)) is { } problem)
            settings.Problem(problem);

        foreach (var name in new[] { "BATCH_MAX_READINGS", "BATCH_MAX_BYTES", "BATCH_LINGER" })
            settings.Retired(name, $"set SNOWPIPE_{name} in its place.");
        settings.Retired("VALIDATION", "set THERMAL_VALIDATION in its place. Only the s3-forwarder reads VALIDATION.");
        var auth = settings.Choice("SNOWFLAKE_AUTH", SnowpipeAuth.ScopedToken, "How to sign in.");
        var account = AccountSettings.LoadAccount(settings);
        var keyFile = settings.Text(
            "SNOWFLAKE_PRIVATE_KEY_FILE",
            AccountSettings.DefaultKeyFile,
            "Private key of the user, PEM (PKCS#8), encrypted or not."
        );
        var passphrase = settings.Secret("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "Passphrase of an encrypted key.");
        var pat = settings.Secret("SNOWFLAKE_PAT", "Programmatic access token for SNOWFLAKE_AUTH=Pat or DirectPat.");
        KeyPair? key = null;
        var usesPat = auth is SnowpipeAuth.Pat or SnowpipeAuth.DirectPat;
        if (usesPat)
        {
            var tokenFile = settings.SecretFile("SNOWFLAKE_PAT");
            // A file that cannot be read is a problem already.
            if (pat is null ? tokenFile is null : string.IsNullOrWhiteSpace(pat))
                settings.Problem(
                    $"SNOWFLAKE_PAT_FILE is {(tokenFile is null ? "not set" : $"'{tokenFile}', which is empty")}, but SNOWFLAKE_AUTH is "
                        + $"{auth}; put the token into a file of its own and name it in SNOWFLAKE_PAT_FILE (with Compose: "
                        + "SNOWFLAKE_PAT_PATH=./secrets/pat in .env)."
                );
        }
        else
        {
            key = AccountSettings.LoadKey(settings, keyFile, passphrase);
        }
        var pipe = RequiredName(settings, "SNOWFLAKE_PIPE", "Pipe, or TABLE-STREAMING for the default pipe of a table.");
        return new SnowpipeOptions
        {
            Auth = auth,
            Account = account,
            KeyFile = keyFile,
            Key = key,
            Passphrase = passphrase,
            Pat = pat?.Trim(),
            PatFile = usesPat ? settings.SecretFile("SNOWFLAKE_PAT") : null,
            User = usesPat
                ? settings.Text("SNOWFLAKE_USER", "", "LOGIN_NAME of the user.")
                : settings.Required(
                    "SNOWFLAKE_USER",
                    "LOGIN_NAME of the user.",
                    "set it to the LOGIN_NAME that DESC USER shows, for example THERMAL_STREAMING_USER."
                ),
            Role = AccountSettings.Name(
                settings,
                "SNOWFLAKE_ROLE",
                settings.Text("SNOWFLAKE_ROLE", "", "Role to work as; without it the user's default role.")
            ),
            Database = RequiredName(settings, "SNOWFLAKE_DATABASE", "Database of the pipe."),
            Schema = RequiredName(settings, "SNOWFLAKE_SCHEMA", "Schema of the pipe."),
            Pipe = pipe,
            DefaultPipeTable = TableOfDefault(pipe),
            Url = AccountSettings.LoadUrl(settings, account),
            ChannelPrefix = LoadChannel(settings),
            Ingestion = settings.Choice(
                "SNOWFLAKE_INGESTION",
                SnowpipeIngestion.Named,
                "Named channels deliver exactly once; Elastic at least once."
            ),
            Rules = RuleSettings.Load(settings),
            Validation = settings.Choice(
                "THERMAL_VALIDATION",
                InvalidRows.Flag,
                "Handling of readings that break a rejecting rule of VALIDATION_RULES_FILE: their row says so, they are kept as dead "
                    + "letters, or left out."
            ),
            MaxReadings = settings.WholeNumber("SNOWPIPE_BATCH_MAX_READINGS", 10_000, 1, 100_000, "Most readings in one append."),
            // Rows are smaller than estimated: ten appends of this size are just what a channel may take per second, in requests and in
            // bytes.
            MaxBytes = (int)
                settings.Bytes(
                    "SNOWPIPE_BATCH_MAX_BYTES",
                    2_650_000,
                    64 << 10,
                    64 << 20,
                    "Most bytes of JSON in one append, before compression."
                ),
            Linger = settings.Duration(
                "SNOWPIPE_BATCH_LINGER",
                TimeSpan.FromSeconds(1),
                TimeSpan.Zero,
                TimeSpan.FromHours(1),
                "How long the first reading of a batch waits for others."
            ),
            RequestTimeout = settings.Duration(
                "SNOWFLAKE_REQUEST_TIMEOUT",
                TimeSpan.FromSeconds(30),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromMinutes(10),
                "Time limit for one call."
            ),
            CommitTimeout = settings.Duration(
                "SNOWFLAKE_COMMIT_TIMEOUT",
                TimeSpan.FromSeconds(120),
                TimeSpan.FromSeconds(10),
                TimeSpan.FromHours(1),
                "Without a commit for this long the channel is opened again and missing rows are sent again."
            ),
            RequestsPerSecond = settings.WholeNumber(
                "SNOWFLAKE_CHANNEL_REQUESTS_PER_SECOND",
                10,
                1,
                1000,
                "Appends per second and channel; 10 is Snowflake's limit unless it was raised for the account."
            ),
            BytesPerSecond = settings.Bytes(
                "SNOWFLAKE_CHANNEL_BYTES_PER_SECOND",
                20_000_000,
                100_000,
                1_000_000_000_000,
                "Uncompressed bytes per second and channel; 20 MB is Snowflake's limit unless it was raised for the account."
            ),
            StatisticsInterval = settings.Duration(
                "STATISTICS_INTERVAL",
                TimeSpan.FromMinutes(5),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromDays(1),
                "How often a line of statistics is logged."
            ),
            Probe = settings.Flag("CHECK_PROBE", false, "Let check send one row too, as --probe does."),
        };
    }

    static string LoadChannel(Settings settings)
    {
        var text = settings.Text("SNOWFLAKE_CHANNEL", "THERMAL", "First part of the channel names; slot and journal identity follow.");
        if (
            text.Length <= 100
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.')
            && char.IsAsciiLetterOrDigit(text[0])
        )
            return text;
        settings.Problem(
            $"SNOWFLAKE_CHANNEL is '{text}'; it must be 1 to 100 letters, digits, _, - or ., beginning with a letter or digit."
        );
        return "THERMAL";
    }

    static string RequiredName(Settings settings, string key, string description)
    {
        var text = settings.Required(key, description, "set it to the name that sql/streaming/ gave it.");
        return text.Length == 0 ? "" : AccountSettings.Name(settings, key, text);
    }

    static string? TableOfDefault(string pipe)
    {
        const string suffix = "-STREAMING";
        var quote = pipe.StartsWith('"') ? "\"" : "";
        return pipe.Length > suffix.Length + 2 * quote.Length && pipe.EndsWith(suffix + quote, StringComparison.OrdinalIgnoreCase)
            ? pipe[..^(suffix.Length + quote.Length)] + quote
            : null;
    }
}
