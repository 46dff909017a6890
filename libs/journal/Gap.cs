namespace ThermalStreaming.Journal;

/// <summary>A part of a segment that is damaged: its bytes, and the offsets of the readings that were in them.</summary>
/// <param name="Position">File position of its first byte.</param>
/// <param name="EndPosition">File position just past its last byte; the same as <paramref name="Position"/> where the file ends too
/// early.</param>
/// <param name="Offset">Offset of the first reading that is missing.</param>
/// <param name="EndOffset">Offset just past the last one; the same as <paramref name="Offset"/> if only a mark was hit.</param>
/// <param name="IsUnreadable">Whether the device cannot read the bytes; they may still be there.</param>
readonly record struct Gap(long Position, long EndPosition, long Offset, long EndOffset, bool IsUnreadable = false)
{
    /// <summary>Readings that are missing.</summary>
    public long Readings => EndOffset - Offset;

    public long Bytes => EndPosition - Position;
}
