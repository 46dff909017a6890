using ThermalStreaming.Hosting;

namespace ThermalStreaming.Snowflake;

/// <summary>Reads the settings of a Snowflake account and of its sign-in key, and reports every problem.</summary>
static class AccountSettings
{
    public const string DefaultKeyFile = "/run/secrets/rsa_key.p8";

    /// <summary>SNOWFLAKE_ACCOUNT; null if a problem says why.</summary>
    public static AccountIdentifier? LoadAccount(Settings settings)
    {
        var text = settings.Required(
            "SNOWFLAKE_ACCOUNT",
            "Account identifier, ORGNAME-ACCOUNTNAME.",
            "set it to ORGNAME-ACCOUNTNAME, for example MYORG-MYACCOUNT."
        );
        if (text.Length == 0)
            return null;
        var account = AccountIdentifier.Parse(text, out var problem);
        if (account is null)
            settings.Problem($"SNOWFLAKE_ACCOUNT is '{text}'; it must be {problem}");
        return account;
    }

    /// <summary>The key in a file; null if a problem says why.</summary>
    public static KeyPair? LoadKey(Settings settings, string file, string? passphrase)
    {
        // Never shown: somebody who sets the key itself here does not want it in the log.
        if (file.Contains("-----BEGIN", StringComparison.Ordinal) || (file.Length > 300 && !File.Exists(file)))
        {
            settings.Problem(
                "SNOWFLAKE_PRIVATE_KEY_FILE holds a key itself (not shown here); it must be the path of a file. Write the key into a file "
                    + "and name that."
            );
            return null;
        }
        var key = KeyPair.Load(file, passphrase, out var problem);
        if (key is null)
            settings.Problem($"SNOWFLAKE_PRIVATE_KEY_FILE is '{file}', {problem}");
        return key;
    }

    /// <summary>SNOWFLAKE_URL, or the usual address of the account.</summary>
    public static Uri LoadUrl(Settings settings, AccountIdentifier? account)
    {
        var text = settings.OptionalText(
            "SNOWFLAKE_URL",
            "Address of the account, https://{account}.snowflakecomputing.com unless set; a local emulator's for tests."
        );
        var fallback = new Uri($"https://{account?.Host ?? "localhost"}");
        if (text is null)
            return fallback;
        if (AccountAddress.Parse(text, fallback, out var problem) is { } url)
            return url;
        settings.Problem($"SNOWFLAKE_URL is '{AccountAddress.Redact(text)}'; {problem}");
        return fallback;
    }

    /// <summary>A name as Snowflake stores it; "" if it is not a name, which is then reported.</summary>
    public static string Name(Settings settings, string key, string text)
    {
        if (text.Length == 0)
            return "";
        if (Identifier.Normalise(text) is { } name)
            return name;
        settings.Problem(
            $"{key} is '{text}'; it must be one name, not DATABASE.SCHEMA.NAME, of letters, digits, _ and $, or any name in double quotes."
        );
        return "";
    }
}
