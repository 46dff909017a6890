using System.Buffers;
using System.Text;
using Google.Protobuf;

namespace ThermalStreaming.Readings;

/// <summary>A <see cref="ReadingBatch"/>. Its readings stay in the payload until they are asked for.</summary>
sealed class ProtobufPayload : Payload
{
    const int MaxNameLength = 100;
    const uint ThermalTag = ReadingBatch.ThermalFieldNumber << 3 | 2,
        InverterTag = ReadingBatch.InvertersFieldNumber << 3 | 2;

    readonly ReadOnlyMemory<byte> payload;
    readonly PayloadOrigin origin;
    readonly BatchHeader header;
    readonly Item[] items;

    ProtobufPayload(ReadOnlyMemory<byte> payload, PayloadOrigin origin, BatchHeader header, Item[] items)
    {
        this.payload = payload;
        this.origin = origin;
        this.header = header;
        this.items = items;
    }

    public override ReadingKind Kind => origin.Kind;

    public override DateTimeOffset ReceivedAt => origin.ReceivedAt;

    public override int Count => items.Length;

    /// <exception cref="PayloadException">It is not a batch of such readings; the message says what it seems to be.</exception>
    public static ProtobufPayload Decode(ReadOnlyMemory<byte> payload, PayloadOrigin origin, RowLimits? limits)
    {
        try
        {
            var decoded = Read(payload, origin, limits);
            decoded.Judge(limits);
            return decoded;
        }
        catch (NotProtobufException) when (PayloadFormat.Explain(payload.Span) is { } explanation)
        {
            throw new PayloadException(explanation);
        }
    }

    /// <summary>Whether it is a sequence of fields to its end, readings among them.</summary>
    internal static bool IsWellFormed(ReadOnlySpan<byte> payload)
    {
        try
        {
            var (thermal, inverters) = CountReadings(payload, out _, out _);
            return thermal + inverters > 0;
        }
        catch (PayloadException)
        {
            return false;
        }
    }

    static ProtobufPayload Read(ReadOnlyMemory<byte> payload, PayloadOrigin origin, RowLimits? limits)
    {
        var span = payload.Span;
        var (thermal, inverters) = CountReadings(span, out var headerEnd, out var isHeaderWhole);
        // Protobuf writes fields in order of their numbers, so readings come last, but other orders are allowed.
        var header = BatchHeader.Read(isHeaderWhole ? span[..headerEnd] : WithoutReadings(span), origin.DeviceId);
        if ((origin.Kind == ReadingKind.Thermal ? thermal : inverters) == 0)
            throw new NotProtobufException($"holds no {Topics.Name(origin.Kind)} reading");
        if (thermal > 0 && inverters > 0)
            throw new PayloadException("holds thermal and inverter readings; one batch is of one kind");
        var items = new Item[thermal + inverters];
        var reader = new WireReader(span);
        for (var next = 0; next < items.Length; )
        {
            var tag = reader.ReadTag();
            if (tag is not (ThermalTag or InverterTag))
            {
                reader.Skip(tag);
                continue;
            }
            var message = reader.ReadBytes();
            var start = reader.Position - message.Length;
            items[next++] = tag == ThermalTag ? CheckThermal(message, start, limits) : CheckInverter(message, start);
        }
        return new ProtobufPayload(payload, origin, header, items);
    }

    /// <summary>Finds the readings that cannot be taken.</summary>
    void Judge(RowLimits? limits)
    {
        var isForeign = header.NamedDeviceId.Length > 0 && header.NamedDeviceId != origin.DeviceId;
        if (!isForeign && (limits is null || Kind != ReadingKind.Thermal))
            return;
        var fits = limits is not null && limits.IsRoomy && header.FitsIn(limits);
        for (var i = 0; i < items.Length; i++)
        {
            if (isForeign)
                Refuse(i, ForeignDevice(header.NamedDeviceId, origin.DeviceId));
            else if (!(fits && items[i].Fits) && LimitProblem(i, limits!) is { } problem)
                Refuse(i, problem);
        }
    }

    /// <summary>Judges the row that the reading becomes.</summary>
    string? LimitProblem(int index, RowLimits limits)
    {
        var row = new ArrayBufferWriter<byte>();
        WriteRow(index, row, new RowStamp(DateTimeOffset.UnixEpoch, ""), 0);
        return Payload
            .Decode(row.WrittenMemory, isJson: true, origin.DeviceId, Kind, origin.ReceivedAt, limits: limits)
            .Problems.GetValueOrDefault(0);
    }

    public override ReadingIdentity Identity(int index) =>
        HasOwnIdentity(index) ? new(origin.DeviceId, header.BootId, Kind, items[index].Sequence!.Value) : origin.Identity(index);

    public override bool HasOwnIdentity(int index) => header.BootId.Length > 0 && items[index].Sequence is not null;

    public override DateTimeOffset ObservedAt(int index) =>
        Instants.FromMicroseconds(
            OrReceived(
                Kind == ReadingKind.Thermal
                    ? ThermalValues.Read(Bytes(index)).ObservedAtUs
                    : InverterReading.Parser.ParseFrom(Bytes(index)).ObservedAtUs
            )
        );

    public override bool IsClockNotSet(int index) => items[index].IsClockNotSet;

    /// <summary>0 is protobuf's value for a missing time.</summary>
    long OrReceived(long observedAtUs) => observedAtUs == 0 ? Instants.ToMicroseconds(origin.ReceivedAt) : observedAtUs;

    public override InverterReading Inverter(int index)
    {
        if (Kind != ReadingKind.Inverter)
            throw new InvalidOperationException("These readings are of kind thermal.");
        var reading = InverterReading.Parser.ParseFrom(Bytes(index));
        reading.ObservedAtUs = OrReceived(reading.ObservedAtUs);
        if (header.QualityOf(Encoding.UTF8.GetBytes(reading.Quality)) is { IsEmpty: false } quality)
            reading.Quality = Encoding.UTF8.GetString(quality);
        return reading;
    }

    public override void WriteRow(int index, IBufferWriter<byte> row, RowStamp stamp, long streamOffset)
    {
        if (Kind != ReadingKind.Thermal)
        {
            InverterRow.Write(Inverter(index), Identity(index), header.BootId, row);
            return;
        }
        var values = ThermalValues.Read(Bytes(index));
        values.ObservedAtUs = OrReceived(values.ObservedAtUs);
        values.Quality = header.QualityOf(values.Quality);
        header.Row.Write(values, Identity(index), row, stamp, streamOffset);
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
        if (microseconds is < 0 or > ReadingTime.MaxMicroseconds)
            throw new PayloadException($"{field} {microseconds} is not between 1970 and 9999");
    }

    static (int Thermal, int Inverters) CountReadings(ReadOnlySpan<byte> span, out int headerEnd, out bool isHeaderWhole)
    {
        int thermal = 0,
            inverters = 0;
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

    static Item CheckThermal(ReadOnlySpan<byte> message, int start, RowLimits? limits)
    {
        var values = ThermalValues.Read(message);
        Check(values.ObservedAtUs, "observed_at_us");
        return new Item(start, message.Length, values.Sequence, IsUnset(values.ObservedAtUs), limits is null || limits.SurelyHolds(values));
    }

    static Item CheckInverter(ReadOnlySpan<byte> message, int start)
    {
        InverterReading reading;
        try
        {
            reading = InverterReading.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new NotProtobufException($"not a thermal.v1.ReadingBatch: {e.Message}");
        }
        Check(reading.ObservedAtUs, "observed_at_us");
        if (reading.InverterId.Length > MaxNameLength)
            throw new PayloadException($"an inverter_id is longer than {MaxNameLength} characters");
        return new Item(start, message.Length, reading.HasSequence ? reading.Sequence : null, IsUnset(reading.ObservedAtUs), Fits: true);
    }

    static bool IsUnset(long observedAtUs) => observedAtUs is > 0 and < ReadingTime.ClockSetMicroseconds;

    public override uint Fingerprint(int index)
    {
        var hash = new ValueHash();
        hash.Add(Bytes(index));
        return hash.Value;
    }

    ReadOnlySpan<byte> Bytes(int index) => payload.Span.Slice(items[index].Start, items[index].Length);

    /// <summary>Where a reading lies in the payload, and what intake needs to know about it.</summary>
    readonly record struct Item(int Start, int Length, ulong? Sequence, bool IsClockNotSet, bool Fits);
}
