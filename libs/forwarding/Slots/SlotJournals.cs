using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <inheritdoc cref="ISlotJournals"/>
sealed class SlotJournals(string dataDirectory) : ISlotJournals
{
    public IReadOnlyList<string> Names() => SlotDirectory.Names(dataDirectory);

    public string? EpochOf(string slot) => JournalFolder.EpochOf(JournalPath(slot));

    public IEnumerable<(Payload? Payload, long EndOffset)> Read(string slot, string epoch, long from)
    {
        foreach (var record in JournalFiles.Read(JournalPath(slot), epoch, from))
            yield return (JournalPayload.TryDecode(record.Payload.ToArray()), record.EndOffset);
    }

    public void Flush(string slot) => JournalFolder.Flush(JournalPath(slot));

    public IDisposable? TryHold(string slot) => SlotDirectory.TryHold(dataDirectory, slot);

    string JournalPath(string slot) => SlotDirectory.JournalPathOf(dataDirectory, slot);
}
