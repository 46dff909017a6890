namespace ThermalStreaming.Journal;

/// <summary>A record to append: bytes that hold <paramref name="Count"/> readings.</summary>
/// <param name="Payload">The bytes to keep. Copied before the append returns its task.</param>
/// <param name="Count">How many readings, and so how many offsets, the record takes: 1 to 1,048,576.</param>
public readonly record struct JournalRecord(ReadOnlyMemory<byte> Payload, int Count = 1)
{
    /// <summary>
    /// Bytes stored in front of <see cref="Payload"/>, for a header that is not in the same memory. They are read back as one.
    /// </summary>
    public ReadOnlyMemory<byte> Prefix { get; init; }
}
