using System.Globalization;
using System.Net;
using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Snowflake's status of a channel, in the answer to an open or to a status call. Fields that no decision needs are not read.
/// </summary>
/// <param name="Code"><c>SUCCESS</c> when it is healthy; otherwise the problem.</param>
/// <param name="CommittedToken">Token of the last append whose rows are in the table; null before the first.</param>
/// <param name="RowErrors">Rows refused since the channel was made. Never reset by a commit or a reopen.</param>
/// <param name="LastErrorUpperBound">The last refused row is at or before this token.</param>
/// <param name="LastErrorMessage">Why it was refused, redacted by Snowflake.</param>
/// <param name="RowsInserted">Rows inserted since the channel was made; null when the status does not say.</param>
/// <param name="Message">The text beside the status code.</param>
/// <param name="LastErrorAt">When the last row was refused; null when the status does not say, or in no readable form.</param>
sealed record ChannelStatus(
    string Code,
    string? CommittedToken,
    long RowErrors,
    string? LastErrorUpperBound,
    string? LastErrorMessage,
    long? RowsInserted,
    string? Message,
    DateTimeOffset? LastErrorAt
)
{
    /// <summary>Documentation and live systems disagree on the healthy code, and one client has seen a number.</summary>
    public bool IsValid => Code is "SUCCESS" or "ACTIVE" or "0";

    public static ChannelStatus Read(JsonElement element) =>
        new(
            // A number other than 0 overrules a healthy code beside it; an unhealthy code says more than the number.
            Text(element, "channel_status_code") is var code
            && Text(element, "status_code") is { } number
            && number != "0"
            && code is null or "SUCCESS" or "ACTIVE" or "0"
                ? number
                : code ?? "",
            // One page of the documentation misspells it.
            Text(element, "last_committed_offset_token") ?? Text(element, "last_commited_offset_token"),
            // Three spellings are in use for one counter.
            Number(element, "rows_error_count") ?? Number(element, "rows_errors") ?? Number(element, "row_error_count") ?? 0,
            Text(element, "last_error_offset_upper_bound"),
            Text(element, "last_error_message"),
            Number(element, "rows_inserted"),
            Text(element, "message"),
            // The SDK reads the first field; the documentation names the second, as a number in one place and as a time in another.
            Time(Text(element, "last_error_timestamp_ms")) ?? Time(Text(element, "last_error_timestamp"))
        );

    /// <summary>The error that an unhealthy status means, with every detail it gives.</summary>
    public SnowflakeError Error(string operation) =>
        new(
            operation,
            HttpStatusCode.Conflict,
            Code,
            SnowflakeError.OneLine(
                string.Join(
                    "; ",
                    new[] { Message, LastErrorMessage }.Where(text => !string.IsNullOrWhiteSpace(text)).Distinct(StringComparer.Ordinal)
                )
            )
        );

    static DateTimeOffset? Time(string? text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number is > 1e11 and < 1e14 ? DateTimeOffset.UnixEpoch.AddMilliseconds(number)
                : number is > 1e8 and < 1e11 ? DateTimeOffset.UnixEpoch.AddSeconds(number)
                : null;
        return DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? time
            : null;
    }

    static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                _ => null,
            }
            : null;

    static long? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : null;
}
