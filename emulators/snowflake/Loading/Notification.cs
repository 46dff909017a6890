using System.Net;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads S3's messages in a queue.</summary>
/// <remarks>Amazon S3 User Guide, "Event message structure".</remarks>
static class Notification
{
    /// <summary>The objects that a message announces; none for S3's test message, and for deletions.</summary>
    /// <param name="body">The message.</param>
    /// <exception cref="InvalidDataException">It is not a notification of S3.</exception>
    public static IReadOnlyList<CreatedObject> Read(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            if (root.TryGetProperty("Event", out var test) && test.ValueEquals("s3:TestEvent"))
                return [];
            return
            [
                .. root.GetProperty("Records")
                    .EnumerateArray()
                    .Where(record =>
                        record.GetProperty("eventName").GetString()?.StartsWith("ObjectCreated:", StringComparison.Ordinal) == true
                    )
                    .Select(record => record.GetProperty("s3"))
                    // The key is form-encoded: a blank is a plus.
                    .Select(s3 => new CreatedObject(
                        s3.GetProperty("bucket").GetProperty("name").GetString() ?? "",
                        WebUtility.UrlDecode(s3.GetProperty("object").GetProperty("key").GetString() ?? "")
                    )),
            ];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException(e is JsonException ? "it is not JSON" : "it has no Records as S3 sends them", e);
        }
    }
}
