namespace ThermalStreaming.Forwarding;

/// <summary>
/// Where a slot's journal is delivered to. One instance per slot; its members are called by one loop, never concurrently.
/// Every failure leaves as a <see cref="SinkException"/>; anything else is a defect and treated as transient.
/// </summary>
public interface IBatchSink : IAsyncDisposable
{
    /// <summary>How batches are cut for this destination.</summary>
    BatchLimits Limits { get; }

    /// <summary>
    /// How long after a send, or after the previous poll, <see cref="PollAsync"/> is called. Asked again before each wait, so a sink may answer
    /// differently while something is uncommitted and while it is idle.
    /// </summary>
    TimeSpan PollInterval { get; }

    /// <summary>
    /// Makes the destination ready for this journal and says where to go on. Called first, and again after <see cref="SinkFailure.Reopen"/>.
    /// Everything before the returned offset is committed.
    /// </summary>
    Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken);

    /// <summary>
    /// Sends one batch; returns when the destination has accepted it, which need not mean committed. After a transient failure it is called again with the
    /// same instance, so that what it sends can be the same to the byte.
    /// </summary>
    Task SendAsync(Batch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Looks what has become of what was sent: the first offset that is not yet committed. The journal's cursor follows it.
    /// </summary>
    Task<SinkCommit> PollAsync(CancellationToken cancellationToken);
}

/// <summary>How a batch is cut: whatever is reached first.</summary>
/// <param name="MaxReadings">Most readings in a batch.</param>
/// <param name="MaxBytes">Most bytes of JSON lines in a batch, before compression, by a safe estimate.</param>
/// <param name="Linger">How long the first reading of a batch waits for company.</param>
public sealed record BatchLimits(int MaxReadings, int MaxBytes, TimeSpan Linger);

/// <summary>What a sink is told when it opens.</summary>
/// <param name="Slot">The slot that is delivered.</param>
/// <param name="Cursor">First offset that this side does not know to be committed.</param>
/// <param name="FirstStored">First offset that is still in the journal.</param>
/// <param name="End">One past the last offset in the journal.</param>
public sealed record SinkStart(SlotContext Slot, long Cursor, long FirstStored, long End);

/// <summary>Where to go on.</summary>
/// <param name="Offset">First offset to send.</param>
/// <param name="BatchEnd">When set, the first batch must end exactly here (one past its last offset): it was planned before a crash.</param>
public readonly record struct SinkPosition(long Offset, long? BatchEnd = null);

/// <summary>What is known to be committed.</summary>
/// <param name="Offset">First offset that is not committed.</param>
/// <param name="Durable">True when no other place remembers this: the cursor must be on disk before the call is worth anything.</param>
public readonly record struct SinkCommit(long Offset, bool Durable = false);

/// <summary>What a failed call to a sink means for the loop that made it.</summary>
public enum SinkFailure
{
    /// <summary>The same call with the same batch may work: back off and repeat it.</summary>
    Transient,

    /// <summary>What was sent and not committed may be gone: open again and send again from the committed offset.</summary>
    Reopen,

    /// <summary>A person must act (grants, pipe, bucket, key). The service says so, stays up, takes in what its disk can hold and tries again at long intervals.</summary>
    NeedsOperator,
}

/// <summary>A sink could not do what it was asked.</summary>
/// <param name="failure">What the loop must do.</param>
/// <param name="message">What, to what, the answer; for <see cref="SinkFailure.NeedsOperator"/> also what to do. One line, no secrets.</param>
/// <param name="retryAfter">The wait that the destination asked for, if it did, as it was asked for: the loop bounds it.</param>
/// <param name="inner">The error underneath.</param>
public sealed class SinkException(SinkFailure failure, string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    public SinkFailure Failure { get; } = failure;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}
