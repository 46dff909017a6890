using System.Net;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Errors of Snowflake that a user can meet, in sentences. The one table behind log lines, <c>check</c> and docs/troubleshooting.md.
/// </summary>
static class SnowflakeExplanations
{
    const string OwnWords =
        "The code and the message are Snowflake's own and say what is wrong. Run check. If check finds no problem and this repeats, "
        + "please report it with this line.";
    const string Grants =
        "Run sql/streaming/ as it stands, or: GRANT USAGE ON DATABASE <db> TO ROLE <role>; GRANT USAGE ON SCHEMA <db>.<schema> TO ROLE "
        + "<role>; GRANT INSERT ON TABLE <db>.<schema>.<table> TO ROLE <role>; GRANT OPERATE ON PIPE <db>.<schema>.<pipe> TO ROLE "
        + "<role>;";

    /// <summary>By code, in the order of docs/troubleshooting.md.</summary>
    public static IReadOnlyDictionary<string, Explanation> ByCode { get; } =
        new Dictionary<string, Explanation>(SignInErrors.ByCode, StringComparer.Ordinal)
        {
            ["391902"] = new(
                "Snowflake was asked for a format it does not send.",
                "A proxy between here and Snowflake removes the Accept header; go around it."
            ),
            ["ERR_ROLE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"] = new(
                "The role does not exist or is not granted to the user.",
                "Correct SNOWFLAKE_ROLE, or: GRANT ROLE <role> TO USER <user>;"
            ),
            ["ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"] = new(
                "The database does not exist, or the role may not use it.",
                $"Correct SNOWFLAKE_DATABASE and SNOWFLAKE_ROLE. {Grants}"
            ),
            ["ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"] = new(
                "The schema does not exist, or the role may not use it.",
                $"Correct SNOWFLAKE_SCHEMA. {Grants}"
            ),
            ["ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"] = new(
                "The pipe does not exist, or the role may not operate it.",
                $"Correct SNOWFLAKE_PIPE, or create the pipe with sql/streaming/. {Grants}"
            ),
            ["ERR_PIPE_IN_INVALID_STATE"] = new(
                "The pipe cannot work as it is defined, usually because its table was changed, dropped or created again.",
                "SELECT SYSTEM$PIPE_STATUS('<db>.<schema>.<pipe>') says why; create the pipe again with sql/streaming/."
            ),
            ["ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED"] = new(
                "The table of the pipe does not exist, or the role may not insert into it.",
                $"Create the table with sql/streaming/. {Grants}"
            ),
            ["ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED"] = new(
                "The channel is gone or the role may not use it.",
                $"The channel is opened again by itself; if this repeats, the role lacks a grant. {Grants}"
            ),
            ["ERR_CHANNEL_NO_LONGER_EXISTS"] = new(
                "The channel was dropped, or deleted after 30 days without rows.",
                "Nothing to do: the channel is opened again."
            ),
            ["ERR_CHANNEL_MUST_BE_REOPENED"] = new(
                "Snowflake has closed the channel.",
                "Nothing to do: the channel is opened again and uncommitted rows are sent again."
            ),
            ["ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP"] = new(
                "Snowflake misses an append before this one.",
                "Nothing to do: the channel is opened again and uncommitted rows are sent again."
            ),
            ["ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER"] = new(
                "Snowflake expected a different append.",
                "Nothing to do: the channel is opened again and uncommitted rows are sent again."
            ),
            ["ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER"] = new(
                "Another process has opened the same channel.",
                "If it repeats, two forwarders share a channel: is this SD card a copy? Empty the data volume on one of the two."
            ),
            ["STALE_CONTINUATION_TOKEN_SEQUENCER"] = new(
                "Another process has opened the same channel.",
                "If it repeats, two forwarders share a channel: is this SD card a copy? Empty the data volume on one of the two."
            ),
            ["STALE_PIPE_CACHE"] = new(
                "The pipe was changed while rows were being sent.",
                "Nothing to do: the channel is opened again and uncommitted rows are sent again."
            ),
            ["ERR_CHANNEL_HAS_UNCOMMITTED_DATA"] = new(
                "Rows of an earlier open are not committed yet.",
                "Nothing to do: the service retries."
            ),
            ["ERR_OPEN_CHANNEL_IN_PROGRESS"] = new("The channel is being opened already.", "Nothing to do: the service retries."),
            ["ERR_GENERAL_EXCEPTION_RETRY_REQUEST"] = new(
                "Snowflake is moving the pipe to another node.",
                "Nothing to do: the service retries."
            ),
            ["2"] = new(
                "Snowflake calls the failure final (status_code 2).",
                "The message says why. Run check. If check finds no problem and this repeats, please report it with this line."
            ),
            ["3"] = new(
                "Snowflake says that the sign-in has expired (status_code 3), even with a new token.",
                "Set the clock: timedatectl set-ntp true; check shows how far it is off."
            ),
            ["4"] = new(
                "Another process has opened the same channel (status_code 4).",
                "If it repeats, two forwarders share a channel: is this SD card a copy? Empty the data volume on one of the two."
            ),
        };

    static readonly Explanation Unknown = new("Snowflake returned an error that this program does not know.", OwnWords);

    static readonly Explanation NoExchange = new(
        "Snowflake did not exchange the access token (PAT) for one that is valid at the ingest host.",
        "Its message says why. Where the account does not exchange access tokens, set SNOWFLAKE_AUTH=DirectPat: the token itself then goes "
            + "to the ingest host."
    );

    /// <summary>Whether the table has the code.</summary>
    public static bool IsKnown(string code) => ByCode.ContainsKey(code);

    /// <summary>Whether the table explains an error.</summary>
    public static bool IsExplained(SnowflakeError error) => Explain(error) != Unknown;

    /// <summary>By code if it is known, otherwise by HTTP status if that fits whatever the code means.</summary>
    public static Explanation Explain(SnowflakeError error) =>
        ByCode.TryGetValue(error.Code, out var known) ? known
        : error.IsNetworkPolicy ? SignInErrors.KeptOut
        // Servers in front of Snowflake answer 413 and 5xx with pages of their own.
        : error.IsPage && (int?)error.Status is not (413 or >= 500) ? SignInErrors.SomebodyElse
        : error.Code.Length > 0 && (int?)error.Status is not (null or 408 or 413 or 429 or 499 or >= 500) ? Unknown
        : Explain(error.Status);

    /// <summary>The same, with this installation's names and its way to sign in.</summary>
    public static Explanation Explain(SnowflakeError error, SnowpipeOptions options)
    {
        if (!options.UsesPat || error.IsPage)
            return Explain(error).For(options.Names);
        return (
            error.Code is "unsupported_grant_type" ? NoExchange
            : error.Code is "390144" or "3" || (error.IsSignInRefused && !ByCode.ContainsKey(error.Code)) ? RefusedPat(options.PatFile)
            : Explain(error)
        ).For(options.Names);
    }

    static Explanation RefusedPat(string? file) =>
        new(
            "Snowflake does not accept the access token (PAT): it has expired, was removed or disabled, or is of another account.",
            "SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER <user> shows its state and expiry. Make a new one with ALTER USER <user> ADD "
                + "PROGRAMMATIC ACCESS TOKEN (the end of sql/streaming/05_user.sql); "
                + (
                    file is null
                        ? "set SNOWFLAKE_PAT to it and start the service again."
                        : $"write it into {file}, which is read again without a restart."
                )
        );

    /// <summary>What a status means if no code says more.</summary>
    public static Explanation Explain(HttpStatusCode? status) =>
        (int?)status switch
        {
            null => SignInErrors.Unreachable,
            (>= 200 and < 400) or 407 or 511 => SignInErrors.SomebodyElse,
            400 => new(
                "Snowflake does not understand the request.",
                "Run check. If check finds no problem and this repeats, please report it with this line."
            ),
            401 => SignInErrors.Refused,
            403 => new(
                "The user is signed in but may not do this: a network policy, or a missing grant.",
                $"Let this machine's address through the user's network policy. {Grants}"
            ),
            404 => new(
                "Database, schema or pipe does not exist, or the URL is not that of the account.",
                "Compare SNOWFLAKE_ACCOUNT, SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA and SNOWFLAKE_PIPE with SHOW PIPES IN ACCOUNT."
            ),
            405 => new("The address answers, but not like Snowflake.", "Correct SNOWFLAKE_URL, or leave it empty."),
            406 => new(
                "Snowflake was asked for a format it does not send.",
                "A proxy between here and Snowflake removes the Accept header; go around it."
            ),
            408 or 499 => new("The request took too long.", "Nothing to do: the service retries."),
            409 => new(
                "The channel was opened by another process, or Snowflake has closed it.",
                "Nothing to do: the channel is opened again. If it repeats, two forwarders share a channel."
            ),
            410 => new(
                "The pipe has moved to another region or deployment.",
                "Nothing to do: host, token and channel are asked for again. It can take minutes."
            ),
            413 => new(
                "A proxy or gateway before Snowflake takes only small requests.",
                "Raise the limit of the proxy in between. Appends become smaller by themselves until they pass, down to a single row."
            ),
            429 => new(
                "More requests or bytes than Snowflake allows.",
                "Nothing to do: the service retries more slowly. If this repeats, use more slots (SLOTS) or lower the rate."
            ),
            >= 500 => SignInErrors.SnowflakesOwn,
            _ => Unknown,
        };
}
