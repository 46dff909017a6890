namespace ThermalStreaming.Journal;

/// <summary>What <see cref="SegmentSurvey"/> found in a segment.</summary>
/// <param name="Gaps">Damaged parts that held records, or that good records follow; in order.</param>
/// <param name="End">Offset just past the last reading.</param>
/// <param name="EndPosition">File position just past the last good frame.</param>
/// <param name="Marks">Time marks found, with their offsets.</param>
sealed record SurveyedSegment(List<Gap> Gaps, long End, long EndPosition, List<TimeMark> Marks);
