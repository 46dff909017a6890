using System.Buffers;
using Google.Protobuf;

namespace ThermalStreaming.Readings;

/// <summary>A <see cref="ReadingBatch"/>. Its readings stay in the payload until they are asked for.</summary>
sealed class ProtobufPayload : Payload
{
    /// <summary>Everything a DateTimeOffset can hold lies between 0001 and 9999; a sensor's clock has no business outside 1970 to 9999.</summary>
    const long MaxMicroseconds = 253_402_300_799_999_999;

    const int MaxNameLength = 100;
    const uint ThermalTag = ReadingBatch.ThermalFieldNumber << 3 | 2, InverterTag = ReadingBatch.InvertersFieldNumber << 3 | 2;

    readonly ReadOnlyMemory<byte> payload;
    readonly BatchHeader header;
    readonly Item[] items;

    ProtobufPayload(ReadOnlyMemory<byte> payload, ReadingKind kind, BatchHeader header, Item[] items)
    {
        this.payload = payload;
        this.header = header;
        this.items = items;
        Kind = kind;
    }

    public override ReadingKind Kind { get; }

    public override int Count => items.Length;

    public override bool Replayed => header.Replayed;

    public static ProtobufPayload Decode(ReadOnlyMemory<byte> payload, string topicDeviceId, ReadingKind kind)
    {
        var span = payload.Span;
        var (thermal, inverters) = CountReadings(span, out var headerEnd, out var isHeaderWhole);
        // Protobuf writes fields in order of their numbers, so readings come last; but nothing forbids another order.
        var header = BatchHeader.Read(isHeaderWhole ? span[..headerEnd] : WithoutReadings(span), topicDeviceId);
        if ((kind == ReadingKind.Thermal ? thermal : inverters) == 0)
            throw new PayloadException($"holds no {Topics.Name(kind)} reading");
        if (thermal > 0 && inverters > 0)
            throw new PayloadException("holds thermal and inverter readings; one batch is of one kind");
        var items = new Item[thermal + inverters];
        var reader = new WireReader(span);
        for (var next = 0; next < items.Length;)
        {
            var tag = reader.ReadTag();
            if (tag is not (ThermalTag or InverterTag))
            {
                reader.Skip(tag);
                continue;
            }
            var message = reader.ReadBytes();
            items[next++] = new Item(reader.Position - message.Length, message.Length, tag == ThermalTag ? CheckThermal(message) : CheckInverter(message));
        }
        return new ProtobufPayload(payload, kind, header, items);
    }

    public override ReadingIdentity Identity(int index) => new(header.DeviceId, header.BootId, Kind, items[index].Sequence);

    public override DateTimeOffset ObservedAt(int index)
        => Instants.FromMicroseconds(Kind == ReadingKind.Thermal ? ThermalValues.Read(Bytes(index)).ObservedAtUs : InverterReading.Parser.ParseFrom(Bytes(index)).ObservedAtUs);

    public override InverterReading Inverter(int index)
        => Kind == ReadingKind.Inverter ? InverterReading.Parser.ParseFrom(Bytes(index)) : throw new InvalidOperationException("These readings are of kind thermal.");

    public override void WriteRow(int index, IBufferWriter<byte> row, RowStamp stamp, long streamOffset)
    {
        if (Kind == ReadingKind.Thermal)
            header.Row.Write(ThermalValues.Read(Bytes(index)), row, stamp, streamOffset);
        else
            InverterRow.Write(Inverter(index), header.DeviceId, header.BootId, row);
    }

    public override byte[] Select(IReadOnlyList<int> indexes)
    {
        using var some = new MemoryStream(payload.Length);
        some.Write(header.Bytes);
        using (var output = new CodedOutputStream(some, leaveOpen: true))
        {
            foreach (var index in indexes)
            {
                output.WriteTag(Kind == ReadingKind.Thermal ? ThermalTag : InverterTag);
                output.WriteBytes(ByteString.CopyFrom(Bytes(index)));
            }
        }
        return some.ToArray();
    }

    internal static void Check(long microseconds, string field)
    {
        if (microseconds is < 0 or > MaxMicroseconds)
            throw new PayloadException($"{field} {microseconds} is not between 1970 and 9999");
    }

    static (int Thermal, int Inverters) CountReadings(ReadOnlySpan<byte> span, out int headerEnd, out bool isHeaderWhole)
    {
        int thermal = 0, inverters = 0;
        headerEnd = 0;
        isHeaderWhole = true;
        var reader = new WireReader(span);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            reader.Skip(tag);
            if (tag == ThermalTag)
                thermal++;
            else if (tag == InverterTag)
                inverters++;
            else if (thermal + inverters == 0)
                headerEnd = reader.Position;
            else
                isHeaderWhole = false;
            if (thermal + inverters > MaxReadings)
                throw TooMany();
        }
        return (thermal, inverters);
    }

    static byte[] WithoutReadings(ReadOnlySpan<byte> span)
    {
        using var rest = new MemoryStream();
        var reader = new WireReader(span);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            var tag = reader.ReadTag();
            reader.Skip(tag);
            if (tag is not (ThermalTag or InverterTag))
                rest.Write(span[start..reader.Position]);
        }
        return rest.ToArray();
    }

    static ulong CheckThermal(ReadOnlySpan<byte> message)
    {
        var values = ThermalValues.Read(message);
        Check(values.ObservedAtUs, "observed_at_us");
        return values.Sequence;
    }

    static ulong CheckInverter(ReadOnlySpan<byte> message)
    {
        InverterReading reading;
        try
        {
            reading = InverterReading.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new PayloadException($"not a thermal.v1.ReadingBatch: {e.Message}");
        }
        Check(reading.ObservedAtUs, "observed_at_us");
        if (reading.InverterId.Length > MaxNameLength)
            throw new PayloadException($"an inverter_id is longer than {MaxNameLength} characters");
        return reading.Sequence;
    }

    ReadOnlySpan<byte> Bytes(int index) => payload.Span.Slice(items[index].Start, items[index].Length);

    /// <summary>Where a reading lies in the payload, and its number.</summary>
    readonly record struct Item(int Start, int Length, ulong Sequence);
}
