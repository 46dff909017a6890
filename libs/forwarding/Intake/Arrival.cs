using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>A message, or the part of a message, that can be stored.</summary>
/// <param name="Header">Bytes that the journal stores in front of the payload.</param>
/// <param name="Body">The payload.</param>
/// <param name="Count">How many readings it holds.</param>
/// <param name="Runs">Their identities, consecutive numbers as one run.</param>
/// <param name="Fingerprints">Of each reading; empty for readings without identity.</param>
sealed record Arrival(
    ReadOnlyMemory<byte> Header,
    ReadOnlyMemory<byte> Body,
    int Count,
    (ReadingIdentity First, ulong Count)[] Runs,
    uint[] Fingerprints
)
{
    /// <summary>As the journal keeps it.</summary>
    public JournalRecord ToRecord() => new(Body, Count) { Prefix = Header };
}
