using System.Net;
using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What an error of Snowflake asks of a client.</summary>
enum SnowflakeAction
{
    /// <summary>Repeat the same request, byte for byte, after a wait.</summary>
    Retry,

    /// <summary>Open the channel again and go on behind its committed token.</summary>
    Reopen,

    /// <summary>The pipe moved: discover the host, sign in and open the channel again.</summary>
    Rebuild,

    /// <summary>The request is larger than what lies between here and there lets through: send less at once.</summary>
    Smaller,

    /// <summary>Only a person can change it.</summary>
    AskOperator,
}

/// <summary>An answer that was not what was asked for, or no answer at all.</summary>
/// <param name="Operation">What was tried: <c>append to THERMAL_slot-0</c>.</param>
/// <param name="Status">Null when there was no answer.</param>
/// <param name="Code">Snowflake's own code, "" when the answer held none.</param>
/// <param name="Text">The answer's message, one line of at most 300 characters.</param>
/// <param name="RetryAfter">The wait the server asked for.</param>
sealed record SnowflakeError(string Operation, HttpStatusCode? Status, string Code, string Text, TimeSpan? RetryAfter = null)
{
    // The numeric status_code as one client reads it; 0 is success, and what is not named here is worth another try.
    const string Fatal = "2", SignInExpired = "3", StaleToken = "4";

    /// <summary>
    /// The action, by code first and then by status. Each code is in exactly one place, and so is each status; what is not known is worth another try.
    /// </summary>
    public SnowflakeAction Action => Code switch
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
        "ERR_CHANNEL_HAS_UNCOMMITTED_DATA"
            or "ERR_OPEN_CHANNEL_IN_PROGRESS"
            or "ERR_GENERAL_EXCEPTION_RETRY_REQUEST" => SnowflakeAction.Retry,
        "ERR_PIPE_IN_INVALID_STATE" or "391902" or Fatal or SignInExpired => SnowflakeAction.AskOperator,
        "390144" or "394300" or "394301" or "394302" or "394303" or "394304" or "394305" or "394306" or "394307" => SnowflakeAction.AskOperator,
        // ERR_ROLE_, ERR_DATABASE_, ERR_SCHEMA_, ERR_PIPE_…_DOES_NOT_EXIST_OR_NOT_AUTHORIZED and ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED.
        _ when Code.StartsWith("ERR_", StringComparison.Ordinal) && Code.EndsWith("NOT_AUTHORIZED", StringComparison.Ordinal) => SnowflakeAction.AskOperator,
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
    public bool IsSignInRefused => Status == HttpStatusCode.Unauthorized || Code == SignInExpired;

    /// <summary>A page for a person and not an answer of Snowflake's.</summary>
    public bool IsPage => Text.Contains("<html", StringComparison.OrdinalIgnoreCase) || Text.Contains("<!doctype html", StringComparison.OrdinalIgnoreCase);

    /// <summary>What, to what, the answer.</summary>
    public string Describe()
    {
        var answer = Status is { } status ? $"{(int)status}" : "no answer";
        if (Code.Length > 0)
            answer += $" {Code}";
        return Text.Length > 0 && Text != Code ? $"{Operation}: {answer} ({Text})" : $"{Operation}: {answer}";
    }

    /// <summary>
    /// The error that an answer holds although its HTTP status is success: 200 says that the request was read, <c>status_code</c> what became of it. Null when
    /// it holds none, which leaves open whether it is the answer that was asked for.
    /// </summary>
    public static SnowflakeError? InSuccess(string operation, HttpStatusCode status, string body)
    {
        // Hosts and tokens are plain text.
        if (!body.AsSpan().TrimStart().StartsWith('{'))
            return null;
        var error = Parse(operation, status, body, null);
        return error.Code is "" or "0" or "SUCCESS" or "OK" ? null : error;
    }

    /// <summary>Reads every shape of error body that has been seen: code or error_code, a bare JSON text, a numeric status_code, plain text, nothing.</summary>
    public static SnowflakeError Parse(string operation, HttpStatusCode status, string body, TimeSpan? retryAfter)
    {
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
                    code = Field(root, "code") is { Length: > 0 } plain ? plain : Field(root, "error_code") is { Length: > 0 } long_ ? long_ : Field(root, "status_code");
                    text = Field(root, "message") is { Length: > 0 } message ? message : Field(root, "error_description") is { Length: > 0 } description ? description : Field(root, "error");
                    break;
            }
        }
        catch (JsonException)
        {
            if (IsCode(body.Trim()))
                (code, text) = (body.Trim(), "");
        }
        return new(operation, status, code.Trim(), OneLine(text), retryAfter);
    }

    /// <summary>A text from outside as it may stand in a log: one line, at most 300 characters.</summary>
    public static string OneLine(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = new string([.. line.Where(letter => !char.IsControl(letter))]);
        return line.Length <= 300 ? line : line[..300] + "…";
    }

    static bool IsCode(string text) => text.Length is > 3 and <= 100 && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_');

    static string Field(JsonElement element, string name) => element.TryGetProperty(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.GetRawText(),
            _ => "",
        }
        : "";
}

/// <summary>Carries a <see cref="SnowflakeError"/> out of <see cref="SnowpipeClient"/>.</summary>
sealed class SnowflakeException(SnowflakeError error, Exception? inner = null) : Exception(error.Describe(), inner)
{
    public SnowflakeError Error { get; } = error;
}
