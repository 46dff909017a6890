using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What Snowflake says of a channel, at open and when asked; fields that no decision needs are not read.</summary>
/// <param name="Code"><c>SUCCESS</c> when it is healthy; otherwise why not.</param>
/// <param name="CommittedToken">Token of the last append whose rows are in the table; null before the first.</param>
/// <param name="RowErrors">Rows refused since the channel was made. Never reset by a commit or a reopen.</param>
/// <param name="LastErrorUpperBound">The last refused row is at or before this token.</param>
/// <param name="LastErrorMessage">Why it was refused, redacted by Snowflake.</param>
/// <param name="RowsInserted">Rows inserted since the channel was made; null when the status does not say.</param>
/// <param name="Message">What the status says beside its code.</param>
sealed record ChannelStatus(string Code, string? CommittedToken, long RowErrors, string? LastErrorUpperBound, string? LastErrorMessage, long? RowsInserted, string? Message)
{
    /// <summary>Documentation and live systems disagree on the healthy code, and one client has seen a number.</summary>
    public bool IsValid => Code is "SUCCESS" or "ACTIVE" or "0";

    public static ChannelStatus Read(JsonElement element) => new(
        // A number other than 0 overrules a healthy code beside it; an unhealthy code says more than the number.
        Text(element, "channel_status_code") is var code && Text(element, "status_code") is { } number && number != "0" && code is null or "SUCCESS" or "ACTIVE" or "0" ? number : code ?? "",
        // One page of the documentation misspells it.
        Text(element, "last_committed_offset_token") ?? Text(element, "last_commited_offset_token"),
        // Three spellings are in use for one counter.
        Number(element, "rows_error_count") ?? Number(element, "rows_errors") ?? Number(element, "row_error_count") ?? 0,
        Text(element, "last_error_offset_upper_bound"),
        Text(element, "last_error_message"),
        Number(element, "rows_inserted"),
        Text(element, "message"));

    static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        }
        : null;

    static long? Number(JsonElement element, string name)
        => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}
