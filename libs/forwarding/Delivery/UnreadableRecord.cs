using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>A record, or the part of it that was in a batch, whose payload cannot be read.</summary>
/// <param name="Offset">Offset of its first reading.</param>
/// <param name="Count">How many readings it stands for.</param>
/// <param name="RecordOffset">Offset of the record's first reading.</param>
/// <param name="Record">The record, in the batch's memory.</param>
/// <param name="Reason">Why.</param>
readonly record struct UnreadableRecord(long Offset, int Count, long RecordOffset, ReadOnlyMemory<byte> Record, string Reason)
{
    /// <summary>Copies it into a letter.</summary>
    /// <param name="slot">Whose journal it is from.</param>
    public DeadLetter ToLetter(SlotContext slot)
    {
        var reason = $"{slot.Name}, offsets {Offset} to {Offset + Count - 1}: {Reason}";
        if (!StoredPayload.TryParse(Record, out var stored))
            return new DeadLetter(reason, "", null, 0, Record);
        return new DeadLetter(
            reason,
            Topics.Readings(stored.DeviceId, stored.Kind),
            stored.IsJson ? Payload.JsonContentType : Payload.ProtobufContentType,
            0,
            stored.Bytes
        )
        {
            ReceivedAt = stored.StoredAt,
            Assigned = stored.Assigned ?? new(AssignedIdentity.BootIdOf(slot.Epoch), (ulong)RecordOffset),
        };
    }
}
