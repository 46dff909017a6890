using System.Globalization;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// The current batch as appends: built once, and repeated byte for byte as often as needed. Used by one caller at a time.
/// </summary>
sealed partial class PreparedBatch(SnowpipeStatistics statistics, RowRules? rules, ILogger logger) : IDisposable
{
    /// <summary>
    /// A single row that compresses to more is an unusual reading. If even less does not pass, something on the way is misconfigured, and
    /// no reading is at fault.
    /// </summary>
    const int LargestUsualRow = 64 << 10;

    /// <summary>Beyond this, a batch may keep its readings twice. The limit takes some megabytes.</summary>
    const int MostRemembered = 100_000;

    readonly AppendWriter writer = new(rules);

    // Readings whose row, even alone, is too large for something between here and Snowflake.
    readonly HashSet<long> tooLarge = [];

    // Readings without a row that are dead letters already: preparing a batch again must not keep them once more, or a replay would send
    // them twice.
    readonly HashSet<long> kept = [];

    Batch? of;
    (long First, long End, DateTimeOffset CreatedAt) ofRange;
    List<PendingAppend> appends = [];
    int next;

    /// <summary>The next append to send; null when all are answered.</summary>
    public PendingAppend? Next => next < appends.Count ? appends[next] : null;

    /// <summary>
    /// Whether a reading of the last batch has no row, or its offsets are not dense. Then rows cannot be counted by offsets.
    /// </summary>
    public bool HasRowless { get; private set; }

    /// <summary>Makes the appends of a batch, unless it is the current one.</summary>
    /// <param name="batch">The batch to send.</param>
    /// <param name="from">One past the last offset that was handed in before.</param>
    /// <param name="channel">The channel's name, for the rows.</param>
    /// <param name="rowLimit">Most rows of an append.</param>
    /// <param name="now">This machine's time for the rows, and Snowflake's for the request.</param>
    /// <param name="keep">Keeps readings that have no row as dead letters.</param>
    public void Prepare(
        Batch batch,
        long from,
        string channel,
        int rowLimit,
        (DateTimeOffset Own, DateTimeOffset Servers) now,
        Action<string, BatchReading> keep
    )
    {
        if (ReferenceEquals(of, batch) && ofRange == (batch.FirstOffset, batch.EndOffset, batch.CreatedAt))
            return;
        List<(BatchReading Reading, string Reason)> refused = [];
        var readings = tooLarge.Count == 0 ? batch.Readings() : batch.Readings().Where(Passes);
        writer.RowLimit = rowLimit;
        var parts = writer.Write(
            readings,
            batch.Count,
            batch.FirstOffset,
            batch.EndOffset,
            channel,
            now.Own,
            (reading, reason) => refused.Add((reading, reason))
        );
        if (kept.Count > MostRemembered)
            kept.Clear();
        foreach (var (reading, reason) in refused.Where(one => !kept.Contains(one.Reading.Offset)))
        {
            LogRefused(channel, reading.Offset, reason);
            keep(reason, reading);
            kept.Add(reading.Offset);
            statistics.Refused(1);
        }
        HasRowless = parts.Sum(part => (long)part.Rows) != batch.EndOffset - from;
        appends = parts.ConvertAll(part => new PendingAppend(part, now.Servers));
        next = 0;
        ofRange = (batch.FirstOffset, batch.EndOffset, batch.CreatedAt);
        of = batch;

        bool Passes(BatchReading reading)
        {
            if (!tooLarge.Contains(reading.Offset))
                return true;
            refused.Add((reading, "makes a row that a proxy or gateway before Snowflake refuses as too large, even alone (413)"));
            return false;
        }
    }

    /// <summary>The append that was sent has been answered.</summary>
    public void Answered() => next++;

    /// <summary>The batch is sent, or the channel is opened again: the next call makes new appends.</summary>
    public void Forget() => (of, appends, next) = (null, [], 0);

    /// <summary>
    /// The append that was sent is too large for something on the way: makes the next ones smaller. Returns how; null if not even an
    /// ordinary row passes, which a person must fix.
    /// </summary>
    public string? Shrink()
    {
        if (Next?.Rows is not { } part)
            return null;
        if (part.Rows > 1)
        {
            writer.PlainLimit = part.UncompressedBytes / 2;
            return string.Create(CultureInfo.InvariantCulture, $"Appends now have at most {writer.PlainLimit} bytes before compression");
        }
        if (part.Body.Length <= LargestUsualRow)
            return null;
        tooLarge.Add(part.LastRow);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The row of offset {part.LastRow} has {part.Body.Length} bytes, compressed; it goes to the dead letters"
        );
    }

    public void Dispose() => writer.Dispose();

    [LoggerMessage(
        EventId = 411,
        Level = LogLevel.Error,
        Message = "{Channel}: the reading at offset {Offset} {Reason}. It is kept as a dead letter"
    )]
    partial void LogRefused(string channel, long offset, string reason);
}
