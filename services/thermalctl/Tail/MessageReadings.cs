using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The readings of one message, as rows with their keys in Snowflake. Immutable.</summary>
/// <param name="DeviceId">The device in its topic.</param>
/// <param name="Kind">The kind in its topic.</param>
/// <param name="Rows">When each was taken, and its row.</param>
/// <param name="Problem">Why it cannot be read, or why one of its readings will not be taken; null if there is no problem.</param>
sealed record MessageReadings(
    string DeviceId,
    ReadingKind Kind,
    IReadOnlyList<(DateTimeOffset At, JsonObject Row)> Rows,
    string? Problem = null
)
{
    /// <summary>Keys that only the forwarder adds.</summary>
    static readonly string[] ofForwarder = ["forwarded_at", "channel_id", "stream_offset"];

    /// <param name="topic">The topic as received.</param>
    /// <param name="contentType">Null if it had none.</param>
    /// <param name="bytes">The payload.</param>
    /// <param name="receivedAt">When it arrived.</param>
    public static MessageReadings Of(string topic, string? contentType, ReadOnlyMemory<byte> bytes, DateTimeOffset receivedAt)
    {
        if (!Topics.TryParse(topic, out var device, out var kind))
            return new MessageReadings(TerminalText.Plain(topic), kind, [], Topics.Problem(topic));
        try
        {
            var isJson = PayloadFormat.IsJson(bytes, contentType, out var body);
            var payload = Payload.Decode(body, isJson, device, kind, receivedAt);
            var stamp = new RowStamp(receivedAt, "");
            var rows = new List<(DateTimeOffset, JsonObject)>(payload.Count);
            var target = new ArrayBufferWriter<byte>();
            for (var i = 0; i < payload.Count; i++)
            {
                if (payload.Problems.ContainsKey(i))
                    continue;
                target.ResetWrittenCount();
                payload.WriteRow(i, target, stamp, 0);
                var row = JsonNode.Parse(target.WrittenSpan)!.AsObject();
                foreach (var key in ofForwarder)
                    row.Remove(key);
                rows.Add((payload.ObservedAt(i), row));
            }
            var problem = payload.Problems.Count == 0 ? null : payload.Problems.First().Value;
            return new MessageReadings(device, kind, rows, problem);
        }
        catch (Exception e) when (e is PayloadException or JsonException)
        {
            return new MessageReadings(device, kind, [], e.Message);
        }
    }
}
