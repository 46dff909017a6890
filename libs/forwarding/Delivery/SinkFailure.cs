namespace ThermalStreaming.Forwarding;

/// <summary>What a failed call to a sink means for the loop that made it.</summary>
public enum SinkFailure
{
    /// <summary>The same call with the same batch may work: back off and repeat it.</summary>
    Transient,

    /// <summary>Readings that were sent and are not committed may be lost: open again and send again from the committed offset.</summary>
    Reopen,

    /// <summary>
    /// A person must act (grants, pipe, bucket, key). The service says so, stays up, takes in what its disk can hold and tries again at
    /// long intervals.
    /// </summary>
    NeedsOperator,
}
