using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>
/// Writes a journal's cursor files: <c>cursor</c> durably when asked to, <c>cursor.recent</c> at most once per interval. Thread-safe, one
/// write at a time. Not to be called while <see cref="SegmentSet"/> is locked: this class asks it for the offsets with its own lock held.
/// </summary>
sealed class CursorWriter
{
    readonly string directory;
    readonly ulong epoch;
    readonly Func<(long Committed, long Next)> now;
    readonly TimeSpan interval;
    readonly Disk disk;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly ITimer timer;
    readonly Lock gate = new();
    (long Committed, long Next) written;
    long writtenAt;
    bool writtenDurably;
    bool hasFailed;
    bool isTimerArmed;
    bool isDurableDue;
    bool isClosed;

    /// <param name="environment">The journal.</param>
    /// <param name="committed">The committed offset that the files give now.</param>
    /// <param name="now">Gives the offsets that the files should hold.</param>
    /// <param name="interval">Longest time for which the recent file may lag behind.</param>
    public CursorWriter(JournalEnvironment environment, long committed, Func<(long Committed, long Next)> now, TimeSpan interval)
    {
        (directory, epoch, disk, clock, logger) = environment;
        this.now = now;
        this.interval = interval;
        written = (committed, -1);
        writtenAt = clock.GetTimestamp();
        timer = clock.CreateTimer(_ => SaveWhenDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Writes the cursor, durably or when its time has come.</summary>
    /// <exception cref="IOException">It was to be durable and could not be written.</exception>
    public void Save(bool durable)
    {
        lock (gate)
            Save(durable, force: durable);
    }

    /// <summary>
    /// Writes a cursor that may be lower than before. A file with a higher one must not stay, because the higher one counts.
    /// </summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void SaveLower()
    {
        lock (gate)
        {
            var recent = Path.Combine(directory, CursorFile.RecentName);
            try
            {
                disk.Delete(recent);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                logger.NotDeleted(directory, CursorFile.RecentName, e.Message);
            }
            writtenDurably = false;
            Save(durable: true, force: true);
        }
    }

    /// <summary>Writes nothing more, after a last durable write if <paramref name="save"/>.</summary>
    public void Close(bool save)
    {
        timer.Dispose();
        lock (gate)
        {
            try
            {
                if (save)
                    Save(durable: true, force: true);
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                // Logged. The next start asks the sink, or delivers some readings again.
            }
            isClosed = true;
        }
    }

    void SaveWhenDue()
    {
        lock (gate)
        {
            isTimerArmed = false;
            if (isClosed)
                return;
            try
            {
                Save(isDurableDue, force: true);
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                // Logged; the timer is armed again.
            }
        }
    }

    void Save(bool durable, bool force)
    {
        var wanted = now();
        if (durable ? writtenDurably && wanted == written : wanted.Committed == written.Committed)
            return;

        var wait = interval - clock.GetElapsedTime(writtenAt);
        if (!force && wait > TimeSpan.Zero)
        {
            if (!isTimerArmed)
                timer.Change(wait, Timeout.InfiniteTimeSpan);
            isTimerArmed = true;
            return;
        }

        writtenAt = clock.GetTimestamp();
        try
        {
            var name = durable ? CursorFile.Name : CursorFile.RecentName;
            disk.Replace(
                Path.Combine(directory, name),
                new CursorFile(epoch, wanted.Committed, wanted.Next).ToBytes(),
                durable,
                keepSpare: durable
            );
            (written, writtenDurably, hasFailed) = (wanted, durable, false);
            isDurableDue &= !durable;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            // Logged once until a write succeeds again.
            if (!hasFailed)
                logger.CursorNotWritten(directory, e.Message);
            hasFailed = true;
            isDurableDue |= durable;
            if (!isTimerArmed && !isClosed)
                timer.Change(interval, Timeout.InfiniteTimeSpan);
            isTimerArmed = true;
            if (durable)
                throw;
        }
    }
}
