namespace ThermalStreaming.Journal;

/// <summary>What <see cref="Recovery"/> found in a journal's directory.</summary>
/// <param name="Epoch">Identity of the journal.</param>
/// <param name="Segments">At least one; appends go to the last one, unless <paramref name="Next"/> is beyond its end.</param>
/// <param name="Next">Offset of the next reading. More than the last segment's end if offsets are skipped.</param>
/// <param name="GivenOut">Offset just past the last one that is known to have been given out.</param>
/// <param name="Committed">First offset that is not committed.</param>
/// <param name="Damage">Damaged places of the last segment, lost ends among them.</param>
/// <param name="FlushProblem">Why the last segment could not be made durable; null if it is.</param>
/// <param name="IsNew">Whether nothing was there, or all segments were gone.</param>
sealed record RecoveredJournal(
    ulong Epoch,
    List<Segment> Segments,
    long Next,
    long GivenOut,
    long Committed,
    IReadOnlyList<Gap> Damage,
    Exception? FlushProblem,
    bool IsNew
);
