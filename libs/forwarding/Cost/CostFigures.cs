namespace ThermalStreaming.Forwarding;

/// <summary>What was sent, as far as it costs money.</summary>
/// <param name="Rows">Readings.</param>
/// <param name="Requests">Appends, or PUT requests, including failed ones.</param>
/// <param name="Objects">Objects in the bucket, the quarantine's included.</param>
/// <param name="Messages">Notifications of objects to the pipe's queue.</param>
/// <param name="SentBytes">Bytes on the wire, compressed.</param>
/// <param name="BilledBytes">The same before compression, without the quarantine: what Snowflake loads and bills.</param>
public readonly record struct CostFigures(long Rows, long Requests, long Objects, long Messages, long SentBytes, long BilledBytes)
{
    public static CostFigures operator +(CostFigures a, CostFigures b) =>
        new(
            a.Rows + b.Rows,
            a.Requests + b.Requests,
            a.Objects + b.Objects,
            a.Messages + b.Messages,
            a.SentBytes + b.SentBytes,
            a.BilledBytes + b.BilledBytes
        );
}
