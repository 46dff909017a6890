namespace ThermalStreaming.Journal;

/// <summary>
/// Finds out what is wrong with a segment in which a reader met something other than a good frame, so that readers can skip it.
/// Thread-safe.
/// </summary>
sealed class SegmentExaminer(JournalEnvironment environment, SegmentSet segments, DamageBook damage)
{
    // One examination at a time: it reads a whole file.
    readonly Lock examining = new();
    readonly UnreadableSince unreadable = new(environment.Clock);

    /// <summary>Reads a segment through, and notes what is damaged.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="skipUnreadable">Whether bytes that the device cannot read count as damaged.</param>
    /// <exception cref="IOException">It cannot be read now.</exception>
    public void Examine(Segment segment, bool skipUnreadable = false)
    {
        lock (examining)
        {
            var extent = segments.ExtentOf(segment);
            List<Gap> gaps;
            try
            {
                var survey = new SegmentSurvey(environment.Disk, segment.Path, environment.Epoch, segment.First)
                {
                    SkipUnreadable = skipUnreadable,
                };
                gaps = survey.Examine(extent.Size, extent.End).Gaps;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // The journal has deleted the file since, or a person has.
                gaps = [new Gap(SegmentHeader.Bytes, extent.Size, segment.First, extent.End)];
            }

            segments.NoteGaps(segment, gaps);
            if (extent.IsStored)
                damage.Report(segment, gaps, extent.Committed, extent.FirstStored);
        }
    }

    /// <summary>
    /// Notes that the device could not read bytes of a segment. After <see cref="UnreadableSince.Patience"/> they count as damaged.
    /// </summary>
    /// <returns>Whether reading may continue behind them; if not, the caller tries again later.</returns>
    /// <exception cref="IOException">The rest of the segment cannot be read now either.</exception>
    public bool TryStepOverUnreadable(Segment segment, IOException problem)
    {
        if (unreadable.Note(segment.Path, problem))
        {
            var file = Path.GetFileName(segment.Path);
            environment.Logger.ReadFails(environment.Directory, file, problem.Message, UnreadableSince.Patience);
        }

        if (!unreadable.MaySkip(segment.Path))
            return false;
        Examine(segment, skipUnreadable: true);
        NoteReadable(segment);
        return true;
    }

    /// <summary>Notes that the segment can be read again.</summary>
    public void NoteReadable(Segment segment) => unreadable.Note(segment.Path, problem: null);
}
