namespace ThermalStreaming.Forwarding;

/// <summary>A sink could not do what it was asked.</summary>
/// <param name="failure">How the delivery loop must react.</param>
/// <param name="message">The call, its target and the answer; for <see cref="SinkFailure.NeedsOperator"/> also what to do. One line, no
/// secrets.</param>
/// <param name="retryAfter">The wait that the destination asked for, if any, unbounded: the loop bounds it.</param>
/// <param name="inner">The error underneath.</param>
public sealed class SinkException(SinkFailure failure, string message, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(message, inner)
{
    public SinkFailure Failure { get; } = failure;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}
