using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The answer for a fault of kind status, in the form in which that status was seen live.</summary>
static class FaultAnswer
{
    const string Injected = "Injected by /emulator/faults";

    public static Task Send(HttpContext call, Fault fault)
    {
        if (fault.RetryAfter is { } wait)
            call.Response.Headers.RetryAfter = wait;
        if (fault.Body is { } body)
            return Reply.Text(call, fault.Status, body, body.TrimStart() is ['{' or '"' or '[', ..] ? "application/json" : "text/plain");
        if (call.Request.Path.StartsWithSegments(FileRefusal.Root.TrimEnd('/')))
            return Reply.Json(call, fault.Status, FileRefusal.Answer(fault.Code ?? $"390{fault.Status}", fault.Message ?? Injected));
        var code = fault.Code ?? CodeOf(fault.Status);
        var message =
            fault.Message
            ?? (fault.Status, code) switch
            {
                (401, _) => $"OAuth access token expired. [{Guid.NewGuid()}]",
                (_, "STALE_CONTINUATION_TOKEN_SEQUENCER") =>
                    "Channel sequencer in the continuation token is stale. Please reopen the channel",
                _ => Injected,
            };
        return fault.Status switch
        {
            410 => Reply.Text(call, 410, "Gone", "text/plain"),
            408 or 499 when fault.Code is null => Reply.Text(call, fault.Status, "", "text/plain"),
            500 or 503 when fault.Message is null => Reply.Json(call, fault.Status, JsonValue.Create(code)),
            404 => Reply.Json(call, 404, new JsonObject { ["error_code"] = code, ["message"] = message }),
            _ => Reply.Json(call, fault.Status, new JsonObject { ["code"] = code, ["message"] = message }),
        };
    }

    static string CodeOf(int status) =>
        status switch
        {
            400 => "STALE_CONTINUATION_TOKEN_SEQUENCER",
            401 => "390318",
            403 => "ERR_FORBIDDEN",
            404 => "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
            409 => "ERR_OPEN_CHANNEL_IN_PROGRESS",
            429 => "ERR_TOO_MANY_REQUESTS",
            500 or 503 => "ERR_GENERAL_EXCEPTION_RETRY_REQUEST",
            _ => $"ERR_HTTP_{status}",
        };
}
