namespace ThermalStreaming.Journal;

/// <summary>What <see cref="SegmentScanner.Read"/> found.</summary>
enum ScanStatus
{
    /// <summary>A whole frame.</summary>
    Frame,

    /// <summary>Exactly at the limit: nothing more, nothing missing.</summary>
    End,

    /// <summary>
    /// Bytes before the limit are not a good frame, and were read without an error, twice; or the file ends before the limit.
    /// </summary>
    Damaged,
}
