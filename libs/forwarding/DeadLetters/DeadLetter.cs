using System.Text;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>One dead letter.</summary>
/// <param name="Reason">Why it became a dead letter.</param>
/// <param name="Topic">Topic it came on.</param>
/// <param name="ContentType">Content type it came with.</param>
/// <param name="Readings">How many readings; 0 for a message that could not be read.</param>
/// <param name="Payload">The message, or the part of it that could not be stored or delivered.</param>
public sealed record DeadLetter(string Reason, string Topic, string? ContentType, int Readings, ReadOnlyMemory<byte> Payload)
{
    /// <summary>When it became a dead letter.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>When it first came from the broker; readings without a time of their own keep this one. Null when it is not
    /// known.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>The identity of readings that came without one, once they were stored. Null otherwise.</summary>
    public AssignedIdentity? Assigned { get; init; }

    /// <summary>
    /// The device whose share of the dead letters it takes, if the topic does not name the device as our topics do. Not saved: once
    /// written, a letter counts for its file's device.
    /// </summary>
    public string? Sender { get; init; }

    public static bool TryParse(string line, out DeadLetter letter)
    {
        letter = null!;
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(line));
            var root = document.RootElement;
            letter = new(
                Text("reason"),
                Text("topic"),
                root.GetProperty("content_type").GetString(),
                root.GetProperty("readings").GetInt32(),
                root.GetProperty("payload").GetBytesFromBase64()
            )
            {
                At = root.GetProperty("at").GetDateTimeOffset(),
                // Earlier versions did not write the next three.
                ReceivedAt = root.TryGetProperty("received_at", out var receivedAt) ? receivedAt.GetDateTimeOffset() : null,
                Assigned = root.TryGetProperty("boot_id", out _) ? new(Text("boot_id"), root.GetProperty("sequence").GetUInt64()) : null,
            };
            return true;

            string Text(string name) => root.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }
}
