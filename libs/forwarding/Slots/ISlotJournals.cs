using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>The journals of all slots of a data directory, those of other processes too, as the ledger reads them.</summary>
interface ISlotJournals
{
    /// <summary>Names of the existing slots.</summary>
    IReadOnlyList<string> Names();

    /// <summary>Identity of a slot's journal; null when it has none.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    string? EpochOf(string slot);

    /// <summary>
    /// The messages of a slot's journal of that epoch from an offset on, read without its lock; a payload that cannot be decoded is null.
    /// </summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    IEnumerable<(Payload? Payload, long EndOffset)> Read(string slot, string epoch, long from);

    /// <summary>fsyncs the records that <see cref="Read"/> gives: a killed process may not have reached their fsync.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    void Flush(string slot);

    /// <summary>Locks the slot against owners until the result is disposed; null when it has an owner.</summary>
    IDisposable? TryHold(string slot);
}
