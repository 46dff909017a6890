using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>The step of <c>check</c> that shows which devices the running service has noted.</summary>
static class SenderCheck
{
    public static CheckStep Step(RunningService service) =>
        new(
            "senders",
            async cancellationToken =>
            {
                if (await service.StatusAsync(cancellationToken) is not { } status || !status.TryGetProperty("odd_senders", out var odd))
                    return CheckResult.Ok("not known: the service does not answer");
                if (odd.GetArrayLength() == 0)
                    return CheckResult.Ok("nothing odd about any device since the service was started");
                var more = status.TryGetProperty("odd_senders_more", out var others) ? others.GetInt64() : 0;
                var detail =
                    string.Join("; ", odd.EnumerateArray().Select(note => $"{Text(note, "device")}: {Text(note, "detail")}"))
                    + (more > 0 ? $"; and {more} more" : "");
                return CheckResult.Warning(
                    detail,
                    "The program of the device sends no known key, or its clock is not set: the readings are stored all the same. Or it "
                        + "restarts its counter (sequence) and keeps its boot_id: readings whose numbers are stored already are then not "
                        + "stored.",
                    "Let the device make a new boot_id at each start, or leave boot_id and sequence out. Set its clock (NTP), or let it "
                        + "leave the time out. Name its values as the columns in sql/streaming/02_table.sql."
                );
            }
        );

    static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
