using System.Globalization;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// One call over its retries: Snowflake is told the same <c>requestId</c> each time, and in <c>retryCount</c> how often the call was sent
/// before. Used by one caller at a time.
/// </summary>
sealed class RequestIdentity
{
    Guid id = Guid.NewGuid();
    int sent;

    /// <summary>Counts the attempt that is about to be made, and returns its part of the query.</summary>
    public string NextAttempt() => string.Create(CultureInfo.InvariantCulture, $"requestId={id:D}&retryCount={sent++}");

    /// <summary>The call was answered: the next one is another.</summary>
    public void Answered() => (id, sent) = (Guid.NewGuid(), 0);
}
