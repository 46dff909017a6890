using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>A message to be judged: a new one, or a dead letter that is taken in again.</summary>
/// <param name="Topic">The topic it came on.</param>
/// <param name="ContentType">The content type it came with.</param>
/// <param name="Payload">As it came.</param>
/// <param name="ReceivedAt">When it first came from the broker.</param>
/// <param name="Assigned">The identity that its readings were given; null for a new message.</param>
readonly record struct Incoming(
    string Topic,
    string? ContentType,
    ReadOnlyMemory<byte> Payload,
    DateTimeOffset ReceivedAt,
    AssignedIdentity? Assigned
)
{
    /// <summary>The device that a mapping finds in the topic; null when the topic names the device as our topics do.</summary>
    public string? Sender { get; init; }

    /// <summary>Whether it is a dead letter that is taken in again.</summary>
    public bool IsReplay { get; init; }

    /// <summary>The message, or the part of it that <paramref name="payload"/> is, as a dead letter.</summary>
    public DeadLetter ToLetter(string reason, int readings = 0, ReadOnlyMemory<byte>? payload = null) =>
        new(reason, Topic, ContentType, readings, payload ?? Payload)
        {
            ReceivedAt = ReceivedAt,
            Assigned = Assigned,
            Sender = Sender,
        };
}
