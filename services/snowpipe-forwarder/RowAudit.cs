using System.Globalization;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Finds rows that are committed by their token but not in the table: refused ones, and ones that Snowflake counts nowhere. Keeps the
/// readings that may be affected as dead letters. Used by one caller at a time.
/// </summary>
/// <remarks>
/// Snowflake does not tell which row was refused. A channel counts its refused rows, and says of the last one only that it is at or before
/// the end of some append. Sending suspects again to find the refused one would duplicate the accepted ones, because Snowflake does not
/// compare rows. So the range of suspects is made as small as the counts prove, and appends become smaller for a while.
/// </remarks>
sealed partial class RowAudit(
    ChannelRecords records,
    SnowpipeOptions options,
    SnowpipeStatistics statistics,
    TimeProvider clock,
    ILogger logger
)
{
    /// <summary>
    /// How often to write down the count expected of the channel. An older note only widens the range of offsets to search for missing
    /// rows, and only after a kill; so the SD card is spared.
    /// </summary>
    static readonly TimeSpan NoteInterval = TimeSpan.FromHours(1);

    /// <summary>How long appends stay small after refused rows.</summary>
    static readonly TimeSpan Caution = TimeSpan.FromHours(1);

    /// <summary>
    /// Most readings kept as dead letters because some of them were refused or are missing in the table. One poll sees fewer, except in a
    /// flood.
    /// </summary>
    const int MostSuspects = 10_000;

    readonly RowBalance balance = new(clock);
    SlotContext? slot;
    ChannelRecord? record;
    string channel = "";

    // The channel of the balance; null before the first open.
    string? balanced;
    long notedAt;

    // No note before this offset is committed: a reading before it has no row.
    long rowlessEnd;
    long? refusedAt;

    /// <summary>Whether a difference is being watched.</summary>
    public bool IsWatching => balance.IsWatching;

    /// <summary>A channel was opened. A comparison may continue: rows that were dropped before the open are missing after it.</summary>
    /// <param name="opened">The slot, its channel's record and name.</param>
    /// <param name="status">The channel's status in the answer to the open.</param>
    /// <param name="progress">How far the channel was before the open.</param>
    /// <param name="position">First offset to send.</param>
    /// <param name="cursor">First offset not known here to be committed.</param>
    /// <param name="isToken">Whether the position is from the channel's token rather than this side's cursor.</param>
    public void Opened(
        (SlotContext Slot, ChannelRecord Record, string Channel) opened,
        ChannelStatus status,
        ChannelProgress progress,
        long position,
        long cursor,
        bool isToken
    )
    {
        (slot, record, channel) = opened;
        ReportRefused(status, progress, Math.Min(cursor, position), position, isOpen: false);
        if (status.RowsInserted + status.RowErrors is not { } counted)
            return;
        // The comparison needs the number of rows committed since, by this process or the one before it.
        if (isToken && balance.HasAgreed && balanced == channel && counted >= balance.Counted && progress.RowsTo(position) is { } rows)
            balance.Committed(rows);
        else if (isToken && balanced is null && record.Expected is var (expected, offset) && position >= offset)
            balance.Resume(expected, offset, position - offset, counted);
        else
            StartBalance(counted, position);
        balanced = channel;
    }

    /// <summary>
    /// A batch has readings without a row, or its offsets are not dense: a later process could not count its rows by offsets.
    /// </summary>
    public void NoteRowless(long end)
    {
        rowlessEnd = end;
        if (record?.Expected is not null)
            record = records.Remember(slot!, record with { Expected = null });
    }

    public void Committed(long rows) => balance.Committed(rows);

    /// <summary>
    /// Most rows of an append. For an hour after refused rows, fewer than usual: the rows of one append are split over as many appends as a
    /// channel may take in a second, and the next refusal leaves that many times fewer suspects.
    /// </summary>
    /// <param name="rows">How many rows there are to send.</param>
    public int RowLimit(int rows) =>
        refusedAt is { } at && clock.GetElapsedTime(at) < Caution
            ? Math.Max(1, (rows + options.RequestsPerSecond - 1) / options.RequestsPerSecond)
            : int.MaxValue;

    /// <summary>Reports rows that Snowflake refused after accepting their append: the count rises, and the token passes them.</summary>
    /// <param name="status">The channel's status.</param>
    /// <param name="progress">How far it was before that.</param>
    /// <param name="from">First offset that was not committed before.</param>
    /// <param name="to">First offset that is not committed now.</param>
    /// <param name="isOpen">False while the channel is being opened: no more commits come before the report.</param>
    public void ReportRefused(ChannelStatus status, ChannelProgress progress, long from, long to, bool isOpen)
    {
        if (status.RowErrors == record!.RowErrors)
            return;
        // A lower count means that the channel was dropped and created again.
        var fresh = status.RowErrors - (status.RowErrors < record.RowErrors ? 0 : record.RowErrors);
        if (fresh > 0)
        {
            // Counted before their commit is seen: wait for it, to know which readings may be refused.
            if (to <= from && progress.IsWaiting && isOpen)
                return;
            (from, to) = Suspects(status, progress, from, to, isOpen);
            var message = SnowflakeError.OneLine(status.LastErrorMessage ?? "no reason given");
            LogRowErrors(channel, fresh, from, to - 1, message);
            if (to > from)
                Keep(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Snowflake refused {fresh} of the readings at offsets {from} to {to - 1} of channel {channel}: {message}"
                    ),
                    from,
                    to
                );
            statistics.RowErrors(fresh);
            // If all rows are refused, smaller appends reveal nothing.
            if (fresh < to - from)
                refusedAt = clock.GetTimestamp();
        }
        record = records.Remember(slot!, record with { RowErrors = status.RowErrors });
    }

    /// <summary>Reports rows that are committed by their token but neither inserted nor refused.</summary>
    public void ReportMissing(ChannelStatus status, ChannelProgress progress)
    {
        if (status.RowsInserted + status.RowErrors is not { } counted)
            return;
        // The channel was dropped and created again.
        if (counted < balance.Counted)
            StartBalance(counted - progress.OutstandingRows, progress.Committed);
        if (balance.Compare(counted, progress.Committed, progress.OutstandingRows) is not var (rows, from, to))
        {
            if (record!.Expected is null || clock.GetElapsedTime(notedAt) >= NoteInterval)
                Note(progress.Committed);
            return;
        }
        // The journal may no longer hold delivered readings.
        var kept =
            to - from > MostSuspects
                ? 0
                : Keep(
                    $"Snowflake has committed offsets {from} to {to - 1} of channel {channel}, but {rows} of these rows are not in its "
                        + "count of inserted rows",
                    from,
                    to
                );
        LogMissing(channel, rows, from, to - 1, kept);
        statistics.Missing(rows);
        balance.Reported(rows, to);
        Note(progress.Committed);
    }

    /// <summary>Writes down the count expected of the channel, if it is known.</summary>
    /// <exception cref="SinkException">The disk refuses.</exception>
    public void Note(long committed)
    {
        if (record is null || !balance.HasAgreed || committed < rowlessEnd || record.Expected == (balance.Expected, committed))
            return;
        record = records.Remember(slot!, record with { Expected = (balance.Expected, committed) });
        notedAt = clock.GetTimestamp();
    }

    /// <summary>Keeps readings as dead letters; returns how many.</summary>
    /// <exception cref="SinkException">The disk refuses.</exception>
    public static int Keep(SlotContext slot, string reason, IEnumerable<BatchReading> readings)
    {
        try
        {
            return slot.DeadLetters.Add(reason, readings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"refused readings cannot be kept as dead letters: {e.Message}", inner: e);
        }
    }

    int Keep(string reason, long from, long to) => Keep(slot!, reason, slot!.Read(from, to));

    /// <summary>The smallest range of offsets that, by the counts, must hold every unreported refused row.</summary>
    (long From, long To) Suspects(ChannelStatus status, ChannelProgress progress, long from, long to, bool isOpen)
    {
        // Counted after their commit was seen; after a start, from the offset up to which the count is known.
        var isLate = to <= from;
        if (isLate)
            from =
                record!.Expected is var (_, settled) && settled < to
                    ? Math.Max(progress.PreviouslyCommitted, settled)
                    : progress.PreviouslyCommitted;
        // Earlier rows were not all counted when the count was last read: a refused one may be among them.
        else if (isOpen && balance.HasAgreed && balance.SettledAt < from)
            from = Math.Min(from, Math.Max(balance.SettledAt, to - MostSuspects));
        if (
            OffsetToken.TryParse(status.LastErrorUpperBound, out var bound)
            && bound.Epoch == slot!.Epoch
            && bound.Offset >= from
            && bound.Offset < to
        )
            to = bound.Offset + 1;
        // Do not keep everything since the last settled offset: the latest readings are the likeliest suspects. Readings that one poll saw
        // committed are all kept.
        return (isLate ? Math.Max(from, to - MostSuspects) : from, to);
    }

    void StartBalance(long counted, long position)
    {
        if (record!.Expected is not null)
            record = records.Remember(slot!, record with { Expected = null });
        balance.Start(counted, position);
    }

    [LoggerMessage(
        EventId = 410,
        Level = LogLevel.Error,
        Message = "{Channel}: Snowflake refused {Count} rows between offsets {First} and {Last}: {Reason}. The readings of these offsets "
            + "are kept as dead letters; ERROR_TABLE shows the refused rows"
    )]
    partial void LogRowErrors(string channel, long count, long first, long last, string reason);

    [LoggerMessage(
        EventId = 416,
        Level = LogLevel.Error,
        Message = "{Channel}: {Count} rows between offsets {First} and {Last} are committed, but Snowflake counts them neither as "
            + "inserted nor as refused. A pipe drops rows like that while it is invalid (look into its history for a CREATE OR "
            + "REPLACE or a changed grant), or if it has a WHERE. {Kept} readings of these offsets were still in the journal and are "
            + "kept as dead letters; sql/queries/08_gaps_in_the_stream.sql shows which are missing"
    )]
    partial void LogMissing(string channel, long count, long first, long last, int kept);
}
