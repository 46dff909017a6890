using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Where a slot's journal is delivered. One instance per slot; its members, except <see cref="Destination"/>, are called by one loop, never
/// concurrently. It throws only <see cref="SinkException"/>, and lets the <see cref="PayloadException"/> of <see cref="Batch.Readings"/>
/// through; any other exception is a defect, after which the sink is opened again.
/// </summary>
public interface IBatchSink : IAsyncDisposable
{
    /// <summary>
    /// The destination, for people: pipe and channel, or bucket and prefix. "" while it is not known. May be read from any thread.
    /// </summary>
    string Destination { get; }

    /// <summary>How batches are cut for this destination.</summary>
    BatchLimits Limits { get; }

    /// <summary>
    /// How long after a send, or after the previous poll, <see cref="PollAsync"/> is called. Asked again before each wait, so a sink may
    /// answer one way while something is uncommitted and another while it is idle.
    /// </summary>
    TimeSpan PollInterval { get; }

    /// <summary>
    /// Makes the destination ready for this journal and says where to continue. Called first, and again after any failure
    /// but <see cref="SinkFailure.Transient"/>. Everything before the returned offset is committed.
    /// </summary>
    Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken);

    /// <summary>
    /// Sends one batch; returns when the destination has accepted it, which need not mean committed. After a transient failure it is called
    /// again with the same instance, so that it can send the same bytes.
    /// </summary>
    Task SendAsync(Batch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Asks how much of the sent readings is committed: the first offset that is not yet committed. The journal's cursor follows it.
    /// </summary>
    Task<SinkCommit> PollAsync(CancellationToken cancellationToken);
}
