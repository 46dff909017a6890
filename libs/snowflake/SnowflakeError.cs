using System.Net;
using System.Text.Json;

namespace ThermalStreaming.Snowflake;

/// <summary>An unexpected answer, or no answer at all.</summary>
/// <param name="Operation">The call, such as <c>append to THERMAL_slot-0</c>.</param>
/// <param name="Status">Null if there was no answer.</param>
/// <param name="Code">Snowflake's own code, "" if the answer held none.</param>
/// <param name="Text">The answer's own words, one line of at most <see cref="MostText"/> characters.</param>
/// <param name="RetryAfter">The wait that the server asked for.</param>
sealed record SnowflakeError(string Operation, HttpStatusCode? Status, string Code, string Text, TimeSpan? RetryAfter = null)
{
    /// <summary>Enough for a message of Snowflake with the names of a database, a schema and a pipe.</summary>
    public const int MostText = 500;

    // The numeric status_code as one client reads it; 0 is success, and any other not named here is worth a retry.
    const string Fatal = "2",
        SignInExpired = "3",
        StaleToken = "4";

    /// <summary>
    /// The action, by code first and then by status. Each code and each status is in exactly one place; an unknown one is worth a retry.
    /// </summary>
    public SnowflakeAction Action =>
        Code switch
        {
            "STALE_CONTINUATION_TOKEN_SEQUENCER"
            or "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED"
            or "ERR_CHANNEL_NO_LONGER_EXISTS"
            or "ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER"
            or "ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER"
            or "ERR_CHANNEL_MUST_BE_REOPENED"
            or "ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP"
            or "STALE_PIPE_CACHE"
            or StaleToken => SnowflakeAction.Reopen,
            "ERR_CHANNEL_HAS_UNCOMMITTED_DATA" or "ERR_OPEN_CHANNEL_IN_PROGRESS" or "ERR_GENERAL_EXCEPTION_RETRY_REQUEST" =>
                SnowflakeAction.Retry,
            "ERR_PIPE_IN_INVALID_STATE" or "391902" or Fatal or SignInExpired => SnowflakeAction.AskOperator,
            "390144" or "390303" or "390318" or "390420" or "390422" => SnowflakeAction.AskOperator,
            "394300" or "394301" or "394302" or "394303" or "394304" or "394305" or "394306" or "394307" => SnowflakeAction.AskOperator,
            // RFC 6749 5.2, of the token exchange.
            "unsupported_grant_type" or "unauthorized_client" or "invalid_scope" or "invalid_client" => SnowflakeAction.AskOperator,
            // ERR_ROLE_, ERR_DATABASE_, ERR_SCHEMA_, ERR_PIPE_…_DOES_NOT_EXIST_OR_NOT_AUTHORIZED and
            // ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED.
            _ when Code.StartsWith("ERR_", StringComparison.Ordinal) && Code.EndsWith("NOT_AUTHORIZED", StringComparison.Ordinal) =>
                SnowflakeAction.AskOperator,
            _ => (int?)Status switch
            {
                // A misspelt database, schema or pipe is a 404 too.
                401 or 403 or 404 or 405 or 406 => SnowflakeAction.AskOperator,
                409 => SnowflakeAction.Reopen,
                410 => SnowflakeAction.Rebuild,
                413 => SnowflakeAction.Smaller,
                _ => SnowflakeAction.Retry,
            },
        };

    /// <summary>The token was not accepted; a new one may be.</summary>
    public bool IsSignInRefused => (Status == HttpStatusCode.Unauthorized && !IsPage && !IsNetworkPolicy) || Code == SignInExpired;

    /// <summary>Snowflake names the problem of what was signed here: another attempt with the same key changes nothing.</summary>
    public bool IsKeyRefused =>
        Code is "390144" or "394300" or "394301" or "394302" or "394303" or "394304" or "394305" or "394306" or "394307";

    /// <summary>A network policy keeps this address out. Snowflake reports this with the codes of a refused sign-in.</summary>
    public bool IsNetworkPolicy =>
        Code is "390420" or "390422" || Text.Contains("not allowed to access Snowflake", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is a web page rather than an answer of Snowflake.</summary>
    public bool IsPage { get; private init; }

    /// <summary>The operation, status and code, and the words of the answer.</summary>
    public string Describe()
    {
        var answer = Status is { } status ? $"{(int)status}" : "no answer";
        if (Code.Length > 0)
            answer += $" {Code}";
        return Text.Length > 0 && Text != Code ? $"{Operation}: {answer} ({Text})" : $"{Operation}: {answer}";
    }

    /// <summary>
    /// The error that an answer means; null if it may be the expected answer. A 2xx other than 200 and 201 is an error: Snowflake never
    /// answers these calls so, and whoever does has not done what was asked (202: perhaps later; 204: no content). A 200 says that the
    /// request was read; its <c>status_code</c> gives the result.
    /// </summary>
    public static SnowflakeError? Of(string operation, HttpStatusCode status, string body, TimeSpan? retryAfter)
    {
        if (status is not (HttpStatusCode.OK or HttpStatusCode.Created))
            return Parse(operation, status, body, retryAfter);
        // Hosts and tokens are plain text.
        if (!body.AsSpan().TrimStart().StartsWith('{'))
            return null;
        var error = Parse(operation, status, body, retryAfter);
        return error.Code is "" or "0" or "SUCCESS" or "OK" ? null : error;
    }

    /// <summary>
    /// Reads every shape of error body seen so far: code or error_code, OAuth's error, a bare JSON text, a numeric status_code, plain text,
    /// a page, nothing. An answer of unknown form is quoted whole.
    /// </summary>
    public static SnowflakeError Parse(string operation, HttpStatusCode status, string body, TimeSpan? retryAfter)
    {
        if (body.AsSpan().TrimStart(" \t\r\n\uFEFF").StartsWith('<'))
            return new(operation, status, "", OneLine(PageText.Of(body)), retryAfter) { IsPage = true };
        var (code, text) = ("", body);
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            switch (root.ValueKind)
            {
                case JsonValueKind.String:
                    (code, text) = (root.GetString()!, "");
                    if (!IsCode(code))
                        (code, text) = ("", code);
                    break;
                case JsonValueKind.Object:
                    (code, text) = ReadObject(root);
                    if (text.Length == 0 && code.Length == 0 && body.Trim().Length > 2)
                        text = body;
                    break;
            }
        }
        catch (JsonException)
        {
            if (IsCode(body.Trim()))
                (code, text) = (body.Trim(), "");
        }
        return new(operation, status, OneLine(code), OneLine(text), retryAfter);
    }

    static (string Code, string Text) ReadObject(JsonElement root)
    {
        var code = First(root, "code", "error_code", "errorCode");
        var text = First(root, "message", "error_description", "error_message", "errorMessage", "detail");
        if (root.TryGetProperty("error"u8, out var error))
        {
            // OAuth's error is a word (RFC 6749 5.2); other answers nest an object with the same fields.
            if (error.ValueKind == JsonValueKind.Object)
            {
                var (innerCode, innerText) = ReadObject(error);
                (code, text) = (code.Length > 0 ? code : innerCode, text.Length > 0 ? text : innerText);
            }
            else if (Field(root, "error") is { Length: > 0 } word)
            {
                if (code.Length == 0 && word.All(letter => char.IsAsciiLetterLower(letter) || letter == '_'))
                    code = word;
                else
                    text = text.Length > 0 ? $"{word}: {text}" : word;
            }
        }
        return (code.Length > 0 ? code : Field(root, "status_code"), text);
    }

    /// <summary>Makes a text from outside fit for a log: one line, at most <see cref="MostText"/> characters.</summary>
    public static string OneLine(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = new string([.. line.Where(letter => !char.IsControl(letter))]);
        return line.Length <= MostText ? line : line[..MostText] + "…";
    }

    static bool IsCode(string text) =>
        text.Length is > 3 and <= 100 && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_');

    static string First(JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Field(element, name) is { Length: > 0 } value)
                return value;
        }
        return "";
    }

    static string Field(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString()!,
                JsonValueKind.Number => value.GetRawText(),
                _ => "",
            }
            : "";
}
