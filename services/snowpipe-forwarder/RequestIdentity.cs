using System.Globalization;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Identifies one call across its retries: Snowflake gets the same <c>requestId</c> each time, and <c>retryCount</c> tells how often the
/// call was sent before. Used by one caller at a time.
/// </summary>
sealed class RequestIdentity
{
    Guid id = Guid.NewGuid();
    int sent;

    /// <summary>Counts the next attempt, and returns its part of the query.</summary>
    public string NextAttempt() => string.Create(CultureInfo.InvariantCulture, $"requestId={id:D}&retryCount={sent++}");

    /// <summary>The call was answered; the next one has another identity.</summary>
    public void Answered() => (id, sent) = (Guid.NewGuid(), 0);
}
