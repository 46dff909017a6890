using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>The journals of all slots of a data directory, of every process, as the ledger reads them.</summary>
interface ISlotJournals
{
    /// <summary>Names of the slots there are.</summary>
    IReadOnlyList<string> Names();

    /// <summary>Identity of a slot's journal; null when it has none.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    string? EpochOf(string slot);

    /// <summary>
    /// The messages of a slot's journal of that epoch from an offset on, without its lock; a null payload is one that cannot be decoded.
    /// </summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    IEnumerable<(Payload? Payload, long EndOffset)> Read(string slot, string epoch, long from);

    /// <summary>fsyncs the records that <see cref="Read"/> gives: a killed process may not have reached their fsync.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    void Flush(string slot);

    /// <summary>Locks the slot against owners until the result is disposed; null when it has an owner.</summary>
    IDisposable? TryHold(string slot);
}
