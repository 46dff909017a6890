namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>One append until it is answered: the data that all its attempts share.</summary>
/// <param name="rows">The rows.</param>
/// <param name="handedInAt">
/// When the append was put together, by Snowflake's clock. Snowflake measures its own latency from this time.
/// </param>
sealed class PendingAppend(RowPart rows, DateTimeOffset handedInAt)
{
    public RowPart Rows { get; } = rows;

    public DateTimeOffset HandedInAt { get; } = handedInAt;

    public RequestIdentity Identity { get; } = new();
}
