using System.Text;
using Google.Protobuf;

namespace ThermalStreaming.Readings;

/// <summary>
/// The fields of a <see cref="ReadingBatch"/> besides its readings, checked. A device sends the same fields in every message, so they are
/// kept: decoded and encoded once. Thread-safe.
/// </summary>
sealed class BatchHeader
{
    /// <summary>The columns for names are VARCHAR(100), and rows must have a bound.</summary>
    const int MaxNameLength = 100;

    const int LongestKept = 512;

    // Direct-mapped: a header whose place is taken replaces the one there. Entries are immutable, so threads may race for a place.
    static readonly BatchHeader?[] kept = new BatchHeader?[512];

    readonly string topicDeviceId;
    readonly byte[] quality;
    readonly (RowKey Key, int Length)[] texts;
    RowLimits? judgedBy;
    bool fits;

    BatchHeader(byte[] bytes, string topicDeviceId)
    {
        Bytes = bytes;
        this.topicDeviceId = topicDeviceId;
        ReadingBatch batch;
        try
        {
            batch = ReadingBatch.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new NotProtobufException($"not a thermal.v1.ReadingBatch: {e.Message}");
        }
        NamedDeviceId = batch.DeviceId;
        BootId = batch.BootId;
        quality = ThermalValues.Plain(Encoding.UTF8.GetBytes(batch.Quality)).ToArray();
        if (BootId.Length > 64)
            throw new PayloadException("boot_id is longer than 64 characters");
        if (batch.Host is { } host)
        {
            ProtobufPayload.Check(host.StartedAtUs, "host.started_at_us");
            if (
                host.Hostname.Length > MaxNameLength
                || host.LocalHostname.Length > MaxNameLength
                || host.IpAddress.Length > MaxNameLength
                || host.MacAddress.Length > MaxNameLength
            )
                throw new PayloadException($"a text of host is longer than {MaxNameLength} characters");
        }
        texts =
        [
            (ThermalRow.DeviceId, topicDeviceId.Length),
            (ThermalRow.BootId, BootId.Length),
            (ThermalRow.HostKey, batch.Host?.Hostname.Length ?? 0),
            (ThermalRow.HostName, batch.Host?.Hostname.Length ?? 0),
            (ThermalRow.LocalHostName, batch.Host?.LocalHostname.Length ?? 0),
            (ThermalRow.IpAddress, batch.Host?.IpAddress.Length ?? 0),
            (ThermalRow.MacAddress, batch.Host?.MacAddress.Length ?? 0),
        ];
        Row = new ThermalRow(batch.Host, topicDeviceId, BootId);
    }

    /// <summary>Its fields as they came.</summary>
    public byte[] Bytes { get; }

    /// <summary>The device that the batch names; "" when it names none. The topic's device counts.</summary>
    public string NamedDeviceId { get; }

    public string BootId { get; }

    /// <summary>
    /// What is odd about a reading: its own words and those of the batch. The batch's words are left out if both together are too long.
    /// </summary>
    public ReadOnlySpan<byte> QualityOf(ReadOnlySpan<byte> own) =>
        quality.Length == 0 || own.Length + 1 + quality.Length > ThermalValues.MostText ? own
        : own.IsEmpty ? quality
        : (byte[])[.. own, (byte)',', .. quality];

    /// <summary>Writes thermal readings of such a batch.</summary>
    public ThermalRow Row { get; }

    /// <summary>Whether its texts surely fit into their columns. There is one set of limits in a process.</summary>
    public bool FitsIn(RowLimits limits)
    {
        if (judgedBy != limits)
        {
            fits = texts.All(text => limits.Column(text.Key) is not { } column || column.HoldsText(text.Length));
            Volatile.Write(ref judgedBy, limits);
        }
        return fits;
    }

    /// <exception cref="PayloadException">It is not well-formed, or has an impossible value.</exception>
    public static BatchHeader Read(ReadOnlySpan<byte> bytes, string topicDeviceId)
    {
        // Seeded per process, so that a sender cannot choose headers that all share one place.
        var hash = new HashCode();
        hash.AddBytes(bytes);
        ref var place = ref kept[(uint)hash.ToHashCode() % (uint)kept.Length];
        var header = Volatile.Read(ref place);
        if (header is not null && bytes.SequenceEqual(header.Bytes) && topicDeviceId == header.topicDeviceId)
            return header;
        header = new BatchHeader(bytes.ToArray(), topicDeviceId);
        if (bytes.Length <= LongestKept)
            Volatile.Write(ref place, header);
        return header;
    }
}
