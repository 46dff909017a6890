namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>One append until it is answered: what each of its attempts has in common.</summary>
/// <param name="rows">The rows.</param>
/// <param name="handedInAt">When the append was put together, by Snowflake's clock: what Snowflake measures its own latency from.</param>
sealed class PendingAppend(RowPart rows, DateTimeOffset handedInAt)
{
    public RowPart Rows { get; } = rows;

    public DateTimeOffset HandedInAt { get; } = handedInAt;

    public RequestIdentity Identity { get; } = new();
}
