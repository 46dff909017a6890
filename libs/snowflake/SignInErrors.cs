namespace ThermalStreaming.Snowflake;

/// <summary>Errors of reaching an account and of signing in, in sentences. docs/troubleshooting.md has the same ones.</summary>
static class SignInErrors
{
    const string SeeLogin = "An administrator finds the reason with: SELECT SYSTEM$GET_LOGIN_FAILURE_DETAILS('<the uuid in brackets>').";

    /// <summary>How a key is registered for a user.</summary>
    public const string RegisterKey =
        "Register the key: ALTER USER <user> SET RSA_PUBLIC_KEY='<content of rsa_key.pub without its first and last line>'; (keygen prints "
        + "the statement). DESC USER <user> must then show the fingerprint that check shows.";

    /// <summary>A network policy refuses this machine's address.</summary>
    public static readonly Explanation KeptOut = new(
        "A network policy of the account or of the user does not allow this machine's address.",
        "The message shows the address; add it to the network policy: ALTER NETWORK RULE <rule> SET VALUE_LIST = (...). SHOW PARAMETERS "
            + "LIKE 'NETWORK_POLICY' IN ACCOUNT (or FOR USER <user>) names the policy."
    );

    /// <summary>An answer that is not Snowflake's.</summary>
    public static readonly Explanation SomebodyElse = new(
        "Another server answers in place of Snowflake: a proxy, a network's sign-in page (captive portal), or the host of a wrong "
            + "SNOWFLAKE_URL.",
        "Open the address of the account in a browser on this network; sign in to the network, or let this machine past the proxy. Correct "
            + "SNOWFLAKE_URL, or leave it empty."
    );

    /// <summary>No answer.</summary>
    public static readonly Explanation Unreachable = new(
        "The host cannot be reached.",
        "Check the network, DNS and firewall between here and it (HTTPS, port 443), and SNOWFLAKE_ACCOUNT or SNOWFLAKE_URL."
    );

    /// <summary>A 5xx without a known code.</summary>
    public static readonly Explanation SnowflakesOwn = new(
        "Snowflake has a problem of its own.",
        "Nothing to do: the service retries. https://status.snowflake.com shows whether the problem is known."
    );

    /// <summary>A 401 without a known code.</summary>
    public static readonly Explanation Refused = new("Snowflake does not accept the sign-in.", $"{RegisterKey} Check the clock as well.");

    /// <summary>By code, in the order of docs/troubleshooting.md.</summary>
    public static IReadOnlyDictionary<string, Explanation> ByCode { get; } =
        new Dictionary<string, Explanation>(StringComparer.Ordinal)
        {
            ["390144"] = new(
                "Snowflake does not accept the JWT: the account in it is not the account of the URL, the user is not a LOGIN_NAME, "
                    + "or the key is not registered for that user.",
                "Compare SNOWFLAKE_ACCOUNT and SNOWFLAKE_USER with SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME() "
                    + $"and DESC USER. {RegisterKey} {SeeLogin}"
            ),
            ["394300"] = new(
                "There is no user with this LOGIN_NAME in the account.",
                "Set SNOWFLAKE_USER to the LOGIN_NAME (not the NAME) that DESC USER shows, or create the user with sql/streaming/."
            ),
            ["394301"] = new("The JWT lacks its time of issue or expiry.", "This is a defect of this program; please report it."),
            ["394302"] = new(
                "The JWT arrived more than 60 s after it was issued: this machine's clock is wrong or the line is very slow.",
                "Set the clock: timedatectl set-ntp true; check shows how far it is off."
            ),
            ["394303"] = new(
                "The JWT has expired: this machine's clock is wrong.",
                "Set the clock: timedatectl set-ntp true; check shows how far it is off."
            ),
            ["394304"] = new(
                "The fingerprint in the JWT is not that of a public key registered for the user: another key pair is registered.",
                RegisterKey
            ),
            ["394305"] = new(
                "The JWT is signed with another algorithm than RS256.",
                "Make an RSA key with: snowpipe-forwarder keygen, and register it."
            ),
            ["394306"] = new("The signature of the JWT does not fit the registered public key.", RegisterKey),
            ["394307"] = new(
                "The JWT names another account than the one it was sent to.",
                "Set SNOWFLAKE_ACCOUNT to ORGNAME-ACCOUNTNAME of the account that SNOWFLAKE_URL leads to, or leave SNOWFLAKE_URL empty."
            ),
            ["390303"] = new(
                "Snowflake no longer knows the token for the ingest host.",
                "Nothing to do: a new one is fetched. If this repeats, run check."
            ),
            ["390318"] = new(
                "The token for the ingest host has expired.",
                "Nothing to do: a new one is fetched. If this repeats, set the clock (timedatectl set-ntp true); check shows how far "
                    + "it is off."
            ),
            ["390420"] = KeptOut,
            ["390422"] = KeptOut,
        };
}
