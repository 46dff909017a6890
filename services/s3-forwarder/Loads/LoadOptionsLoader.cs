using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Reads <see cref="LoadOptions"/> from the settings and reports every problem in them.</summary>
static class LoadOptionsLoader
{
    /// <param name="settings">The settings.</param>
    /// <param name="bucket">The bucket that objects go to.</param>
    /// <param name="prefix">Prefix of their keys.</param>
    /// <returns>Null if loads are not monitored.</returns>
    public static LoadOptions? Load(Settings settings, string bucket, string prefix)
    {
        var isOn = settings.Flag(
            "SNOWPIPE_MONITOR",
            false,
            "Ask classic Snowpipe whether the objects were loaded. Needs a key pair: SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and the key file."
        );
        if (!isOn)
            Document(settings);
        var keyFile = settings.Text(
            "SNOWFLAKE_PRIVATE_KEY_FILE",
            AccountSettings.DefaultKeyFile,
            "Private key of the user, PEM (PKCS#8), encrypted or not."
        );
        var interval = settings.Duration(
            "SNOWPIPE_MONITOR_INTERVAL",
            TimeSpan.FromMinutes(8),
            TimeSpan.FromSeconds(1),
            TimeSpan.FromHours(6),
            "Time between two requests; Snowflake answers 429 if they come too often."
        );
        var missedAfter = settings.Duration(
            "SNOWPIPE_MISSED_AFTER",
            TimeSpan.FromHours(1),
            TimeSpan.FromSeconds(1),
            TimeSpan.FromDays(10),
            "An object that Snowpipe has not seen this long after its upload is reported as missed."
        );
        var stage = settings.Text(
            "SNOWPIPE_STAGE_URL",
            "",
            "Where the pipe's stage points, if not at s3://S3_BUCKET/S3_FILE_PREFIX (DESC STAGE shows it)."
        );
        var pipe = settings.Text("SNOWPIPE_PIPE", "INVERTER_PIPE", "The classic pipe that loads the objects.");
        if (!isOn)
            return null;
        var account = AccountSettings.LoadAccount(settings);
        var passphrase = settings.Secret("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "Passphrase of an encrypted key.");
        return new LoadOptions
        {
            Account = account,
            User = settings.Required(
                "SNOWFLAKE_USER",
                "LOGIN_NAME of the user that asks.",
                "set it to the LOGIN_NAME that DESC USER shows, for example THERMAL_STREAMING_USER."
            ),
            Url = AccountSettings.LoadUrl(settings, account),
            KeyFile = keyFile,
            Key = AccountSettings.LoadKey(settings, keyFile, passphrase),
            Passphrase = passphrase,
            Database = Required(settings, "SNOWFLAKE_DATABASE", "Database of the pipe."),
            Schema = Required(settings, "SNOWFLAKE_SCHEMA", "Schema of the pipe."),
            Pipe = AccountSettings.Name(settings, "SNOWPIPE_PIPE", pipe),
            StageUrl = StageUrl(settings, stage, bucket, prefix),
            Interval = interval,
            MissedAfter = missedAfter,
        };
    }

    /// <summary>For --help: the settings needed only if loads are monitored.</summary>
    static void Document(Settings settings)
    {
        const string When = "With SNOWPIPE_MONITOR: ";
        settings.OptionalText("SNOWFLAKE_ACCOUNT", When + "account identifier, ORGNAME-ACCOUNTNAME.");
        settings.OptionalText("SNOWFLAKE_URL", When + "address of the account, https://{account}.snowflakecomputing.com unless set.");
        settings.OptionalText("SNOWFLAKE_USER", When + "LOGIN_NAME of the user that asks.");
        settings.OptionalText("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE", When + "a file with the passphrase of an encrypted key.");
        settings.OptionalText("SNOWFLAKE_DATABASE", When + "database of the pipe.");
        settings.OptionalText("SNOWFLAKE_SCHEMA", When + "schema of the pipe.");
    }

    static string Required(Settings settings, string key, string description) =>
        AccountSettings.Name(settings, key, settings.Required(key, description, "set it to the name that sql/classic/ uses, DEMO there."));

    static string StageUrl(Settings settings, string text, string bucket, string prefix)
    {
        if (text.Length == 0)
            return $"s3://{bucket}/{prefix}";
        if (
            text.StartsWith("s3://", StringComparison.Ordinal)
            && text.EndsWith('/')
            && $"s3://{bucket}/{prefix}".StartsWith(text, StringComparison.Ordinal)
        )
            return text;
        settings.Problem($"SNOWPIPE_STAGE_URL is '{text}'; it must be the beginning of s3://{bucket}/{prefix}, and end with a slash.");
        return $"s3://{bucket}/{prefix}";
    }
}
