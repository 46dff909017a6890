using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Moves the cursor of a journal, counts committed readings, and completes the waits for them. A cursor that cannot be written now is
/// written later; until then, a restart asks the destination, or the plan, what is committed. Not thread-safe, except
/// <see cref="Flushes"/>.
/// </summary>
sealed partial class DeliveryCursor(DurableJournal journal, string slot, ForwarderMetrics metrics, TimeProvider clock, ILogger logger)
{
    readonly UncommittedBatches batches = new(metrics, clock);

    public DurableJournal Journal => journal;

    public ForwarderMetrics Metrics => metrics;

    /// <summary>The waits for commits.</summary>
    public FlushRequests Flushes { get; } = new(journal);

    /// <inheritdoc cref="UncommittedBatches.Attempt"/>
    public void Attempt() => batches.Attempt();

    /// <inheritdoc cref="UncommittedBatches.Accepted"/>
    public void Accepted(Batch batch) => batches.Accepted(batch.EndOffset, batch.Count);

    /// <inheritdoc cref="UncommittedBatches.Forget"/>
    public void Forget() => batches.Forget();

    public void Commit(long offset, bool durable)
    {
        try
        {
            journal.Commit(offset, durable);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogCursor(slot, e.Message);
        }
        batches.Committed(offset);
        Flushes.Settle();
    }

    /// <returns>The first offset that is not committed now.</returns>
    public long Rewind(long offset)
    {
        try
        {
            return journal.Rewind(offset);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogCursor(slot, e.Message);
            return journal.CommittedOffset;
        }
    }

    [LoggerMessage(
        EventId = 103,
        Level = LogLevel.Warning,
        Message = "{Slot}: the journal's cursor cannot be written now ({Reason}). Delivery continues; retrying"
    )]
    partial void LogCursor(string slot, string reason);
}
