using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The optional body of a call that opens or drops a channel.</summary>
/// <param name="OffsetToken">Committed offset token to set; null leaves it unchanged.</param>
/// <param name="FailOnUncommittedRows">Refuse while rows are buffered, instead of dropping them.</param>
readonly record struct ChannelOptions(string? OffsetToken = null, bool FailOnUncommittedRows = false)
{
    /// <exception cref="JsonException">The JSON has another shape.</exception>
    public static ChannelOptions Read(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
            return default;
        JsonBody.RequireObject(json);
        var fail =
            json.TryGetProperty("fail_on_uncommitted_rows", out var flag)
            && flag.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False or JsonValueKind.Null => false,
                _ => throw new JsonException("fail_on_uncommitted_rows must be true or false"),
            };
        return new ChannelOptions(JsonBody.OptionalText(json, "offset_token"), fail);
    }
}
