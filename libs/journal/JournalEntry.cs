namespace ThermalStreaming.Journal;

/// <summary>
/// A record as read back. It occupies the offsets from <paramref name="Offset"/> up to, not including, <see cref="EndOffset"/>.
/// </summary>
/// <param name="Offset">Stream offset of the record's first reading.</param>
/// <param name="Count">How many readings it holds.</param>
/// <param name="Payload">Its bytes; valid until the next read from the same reader.</param>
public readonly record struct JournalEntry(long Offset, int Count, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Offset of the first reading after this record.</summary>
    public long EndOffset => Offset + Count;
}
