using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>A failed request to the store, for the log and for <c>check</c>.</summary>
/// <param name="Failure">How the delivery loop must react.</param>
/// <param name="Answer">The request, the answer, and the answer's own words.</param>
/// <param name="Cause">The likely cause; empty if the answer says it.</param>
/// <param name="Fix">The remedy; empty if waiting helps or none is known.</param>
/// <param name="RetryAfter">The wait that the store asks for, if it does.</param>
sealed record S3Problem(SinkFailure Failure, string Answer, string Cause = "", string Fix = "", TimeSpan? RetryAfter = null)
{
    public SinkException ToException(Exception? inner) =>
        new(Failure, string.Join("; ", new[] { Answer, Cause, Fix }.Where(part => part.Length > 0)), RetryAfter, inner);
}
