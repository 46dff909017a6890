namespace ThermalStreaming.S3Forwarder;

/// <summary>What an error of classic Snowpipe's REST API means. docs/troubleshooting.md has the same words.</summary>
static class LoadAdvice
{
    static readonly Explanation NoPipe = new(
        "There is no such pipe, or the user's default role may not use it; the case of the names counts.",
        "Compare SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA and SNOWPIPE_PIPE with SHOW PIPES IN ACCOUNT, then run sql/classic/11_monitor.sql, "
            + "or: GRANT MONITOR, OPERATE ON PIPE <db>.<schema>.<pipe> TO ROLE <the user's DEFAULT_ROLE>;"
    );

    static readonly Explanation TooOften = new(
        "Snowflake was asked for the load history too often.",
        "Nothing to do: the pause grows by itself. If this repeats, raise SNOWPIPE_MONITOR_INTERVAL, and let only one installation "
            + "ask for a pipe."
    );

    /// <summary>By code if it is known, otherwise by status, with the names of this installation.</summary>
    public static Explanation Explain(SnowflakeError error, LoadOptions options) => Explain(error).For(options.Names);

    internal static Explanation Explain(SnowflakeError error) =>
        SignInErrors.ByCode.TryGetValue(error.Code, out var known) ? known
        : error.IsNetworkPolicy ? SignInErrors.KeptOut
        : (int?)error.Status switch
        {
            null => SignInErrors.Unreachable,
            429 => TooOften,
            408 or 499 => new("The request took too long.", "Nothing to do: the service retries."),
            >= 500 => SignInErrors.SnowflakesOwn,
            _ when error.IsPage => SignInErrors.SomebodyElse,
            (>= 200 and < 400) or 405 or 407 or 511 => SignInErrors.SomebodyElse,
            401 => SignInErrors.Refused,
            403 or 404 => NoPipe,
            _ => new(
                "Snowflake does not understand the request.",
                "Run check. If check finds no problem and this repeats, please report it with this line."
            ),
        };
}
