using System.Diagnostics.Metrics;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>What a ledger holds, for metrics and status, which must not wait for its lock. Thread-safe.</summary>
/// <param name="maxBytes">The bound of its memory, in bytes.</param>
sealed class LedgerFigures(long maxBytes)
{
    long forgotten,
        streams,
        bytes;

    /// <summary>Streams forgotten to stay within the bounds, by all processes.</summary>
    public long Forgotten => Interlocked.Read(ref forgotten);

    /// <summary>Streams that are remembered.</summary>
    public long Streams => Interlocked.Read(ref streams);

    /// <summary>Share of the memory bound that they take, by the estimate that the bound is compared with.</summary>
    public double Fill => (double)Interlocked.Read(ref bytes) / maxBytes;

    /// <summary>Copies the figures. Only while the ledger is entered.</summary>
    public void Show(StoredReadings readings)
    {
        Interlocked.Exchange(ref forgotten, readings.Forgotten);
        Interlocked.Exchange(ref streams, readings.StreamCount);
        Interlocked.Exchange(ref bytes, readings.Bytes);
    }

    /// <summary>Makes the instruments. Once.</summary>
    public void Publish(Meter meter, StatusPage page)
    {
        meter.CreateObservableCounter(
            "thermal.forwarder.ledger.forgotten",
            () => Forgotten,
            "{stream}",
            "Streams (device, boot id and kind) that the ledger has forgotten to stay within its bounds; their readings are stored again "
                + "if they arrive again"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.ledger.streams",
            () => Streams,
            "{stream}",
            "Streams (device, boot id and kind) that the ledger remembers"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.ledger.fill",
            () => Fill,
            null,
            "Share of LEDGER_MAX_BYTES that the ledger takes; at 1 it forgets the streams that have been silent longest"
        );
        page.Add(json => json.WriteNumber("streams_forgotten"u8, Forgotten));
    }
}
