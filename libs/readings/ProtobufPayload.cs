using System.Text.Json;
using Google.Protobuf;

namespace ThermalStreaming.Readings;

/// <summary>A <see cref="ReadingBatch"/>.</summary>
sealed class ProtobufPayload : Payload
{
    /// <summary>Everything a DateTimeOffset can hold lies between 0001 and 9999; a sensor's clock has no business outside 1970 to 9999.</summary>
    const long MaxMicroseconds = 253_402_300_799_999_999;

    /// <summary>The columns for names are VARCHAR(100), and rows must have a bound.</summary>
    const int MaxNameLength = 100;

    readonly ReadingBatch batch;
    readonly string deviceId;
    readonly ThermalRow row;

    ProtobufPayload(ReadingBatch batch, string deviceId, ReadingKind kind)
    {
        this.batch = batch;
        this.deviceId = deviceId;
        Kind = kind;
        row = new ThermalRow(batch.Host, deviceId, batch.BootId);
    }

    public override ReadingKind Kind { get; }

    public override int Count => Kind == ReadingKind.Thermal ? batch.Thermal.Count : batch.Inverters.Count;

    public override bool Replayed => batch.Replayed;

    public static ProtobufPayload Decode(ReadOnlyMemory<byte> payload, string topicDeviceId, ReadingKind kind)
    {
        ReadingBatch batch;
        try
        {
            batch = ReadingBatch.Parser.ParseFrom(payload.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new PayloadException($"not a thermal.v1.ReadingBatch: {e.Message}");
        }
        var deviceId = batch.DeviceId.Length == 0 ? topicDeviceId : batch.DeviceId;
        if (!Topics.IsDeviceId(deviceId))
            throw new PayloadException("device_id is longer than 100 characters or holds one of + # / or a control character");
        if (batch.BootId.Length > 64)
            throw new PayloadException("boot_id is longer than 64 characters");
        if ((kind == ReadingKind.Thermal ? batch.Thermal.Count : batch.Inverters.Count) == 0)
            throw new PayloadException($"holds no {Topics.Name(kind)} reading");
        if (batch.Thermal.Count > 0 && batch.Inverters.Count > 0)
            throw new PayloadException("holds thermal and inverter readings; one batch is of one kind");
        if (batch.Host is { } host)
        {
            Check(host.StartedAtUs, "host.started_at_us");
            if (host.Hostname.Length > MaxNameLength || host.LocalHostname.Length > MaxNameLength || host.IpAddress.Length > MaxNameLength || host.MacAddress.Length > MaxNameLength)
                throw new PayloadException($"a text of host is longer than {MaxNameLength} characters");
        }
        foreach (var reading in batch.Thermal)
            Check(reading.ObservedAtUs, "observed_at_us");
        foreach (var reading in batch.Inverters)
        {
            Check(reading.ObservedAtUs, "observed_at_us");
            if (reading.InverterId.Length > MaxNameLength)
                throw new PayloadException($"an inverter_id is longer than {MaxNameLength} characters");
        }
        return new ProtobufPayload(batch, deviceId, kind);

        static void Check(long microseconds, string field)
        {
            if (microseconds is < 0 or > MaxMicroseconds)
                throw new PayloadException($"{field} {microseconds} is not between 1970 and 9999");
        }
    }

    public override ReadingIdentity Identity(int index)
        => new(deviceId, batch.BootId, Kind, Kind == ReadingKind.Thermal ? batch.Thermal[index].Sequence : batch.Inverters[index].Sequence);

    public override DateTimeOffset ObservedAt(int index)
        => Instants.FromMicroseconds(Kind == ReadingKind.Thermal ? batch.Thermal[index].ObservedAtUs : batch.Inverters[index].ObservedAtUs);

    public override InverterReading Inverter(int index)
        => Kind == ReadingKind.Inverter ? batch.Inverters[index] : throw new InvalidOperationException("These readings are of kind thermal.");

    public override void WriteRow(int index, Utf8JsonWriter json, in RowStamp stamp)
    {
        if (Kind == ReadingKind.Thermal)
            row.Write(batch.Thermal[index], json, stamp);
        else
            InverterRow.Write(batch.Inverters[index], deviceId, batch.BootId, json);
    }

    public override byte[] Select(IReadOnlyList<int> indexes)
    {
        var some = new ReadingBatch { DeviceId = batch.DeviceId, BootId = batch.BootId, Replayed = batch.Replayed, Host = batch.Host };
        foreach (var index in indexes)
        {
            if (Kind == ReadingKind.Thermal)
                some.Thermal.Add(batch.Thermal[index]);
            else
                some.Inverters.Add(batch.Inverters[index]);
        }
        return some.ToByteArray();
    }
}
