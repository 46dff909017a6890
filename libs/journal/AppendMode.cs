namespace ThermalStreaming.Journal;

/// <summary>How a group goes to the segment files.</summary>
enum AppendMode
{
    /// <summary>Behind the last frame of the last segment.</summary>
    Behind,

    /// <summary>Over the last segment from its first byte: it holds no readings, and its header is in doubt.</summary>
    OverHeader,

    /// <summary>Into a new segment.</summary>
    NewSegment,
}
