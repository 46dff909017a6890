using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// Readings as JSON: one object, an array of them, or several one after the other (NDJSON), with the keys of the rows. Keys that the rows
/// do not have are passed on as they are; missing keys become null, and null is the same as missing. Values are copied byte for byte, with
/// three exceptions: times are written as the reading's one instant, texts that spell a number as that number, and a reading without
/// identity gets one.
/// </summary>
sealed class JsonPayload : Payload
{
    const int MaxBootIdLength = 64;

    readonly ReadOnlyMemory<byte> payload;
    readonly JsonFields fields;
    readonly List<JsonItem> items;
    readonly PayloadOrigin origin;

    JsonPayload(ReadOnlyMemory<byte> payload, PayloadOrigin origin, List<JsonItem> items)
    {
        this.payload = payload;
        this.items = items;
        this.origin = origin;
        fields = JsonFields.Of(origin.Kind);
    }

    public override ReadingKind Kind => origin.Kind;

    public override DateTimeOffset ReceivedAt => origin.ReceivedAt;

    public override int Count => items.Count;

    public override ReadingIdentity Identity(int index) =>
        items[index] is { BootId.Length: > 0 } item ? new(origin.DeviceId, item.BootId, Kind, item.Sequence) : origin.Identity(index);

    public override bool HasOwnIdentity(int index) => items[index].BootId.Length > 0;

    public override DateTimeOffset ObservedAt(int index) => Instants.FromMicroseconds(ObservedAtUs(items[index]));

    /// <exception cref="PayloadException">It is not JSON, or holds no reading.</exception>
    public static JsonPayload Decode(ReadOnlyMemory<byte> payload, PayloadOrigin origin, RowLimits? limits)
    {
        var fields = JsonFields.Of(origin.Kind);
        var decoded = new JsonPayload(payload, origin, JsonItems.Read(payload, fields));
        var items = decoded.items;
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Problem is null)
                decoded.Identify(items[i], i > 0 ? items[i - 1] : null);
            if ((items[i].Problem ?? (limits is null ? null : decoded.LimitProblem(i, limits))) is { } problem)
                decoded.Refuse(i, problem);
        }
        return decoded;
    }

    /// <param name="item">The reading, of which only the places are known.</param>
    /// <param name="before">The item before this one.</param>
    void Identify(JsonItem item, JsonItem? before)
    {
        var device = Raw(item, fields.DeviceId);
        if (!device.IsEmpty && !JsonText.Is(device, origin.DeviceId) && JsonText.Of(device) != origin.DeviceId)
        {
            item.Problem = ForeignDevice(JsonText.Of(device), origin.DeviceId);
            item.Replaced |= 1u << fields.DeviceId;
        }
        ReadIdentity(item, before);
        for (var rank = 0; rank < fields.Times.Length; rank++)
            ReadTime(item, fields.Times[rank]);
    }

    /// <summary>Both parts, or neither: half an identity names no reading.</summary>
    void ReadIdentity(JsonItem item, JsonItem? before)
    {
        var boot = Raw(item, fields.BootId);
        var sequence = Raw(item, fields.Sequence);
        if (boot.IsEmpty && sequence.IsEmpty)
            return;
        var bootId =
            boot.IsEmpty ? ""
            // Neighbours mostly name the same boot, so they share one text.
            : before is not null && JsonText.Is(boot, before.BootId) ? before.BootId
            : JsonText.Common(boot);
        if (bootId.Length > MaxBootIdLength)
            item.Problem ??= $"boot_id has {bootId.Length} characters; at most {MaxBootIdLength} are taken";
        var number = 0UL;
        if (
            !sequence.IsEmpty
            && !(Utf8Parser.TryParse(sequence, out number, out var length) && length == sequence.Length)
            && !(DecimalNumber.TryParse(sequence.Trim("\" \t\r\n"u8), out var spelled) && spelled.TryGetWhole(out number))
        )
            item.Problem ??=
                $"sequence is {JsonProblem.Quote(sequence.Trim((byte)'"'))}, which is not a whole number from 0 to {ulong.MaxValue}";
        if (bootId.Length > 0 && !sequence.IsEmpty)
            (item.BootId, item.Sequence) = (bootId, number);
        else if (origin.Assigned is not null)
            item.Replaced |= (boot.IsEmpty ? 0 : 1u << fields.BootId) | (sequence.IsEmpty ? 0 : 1u << fields.Sequence);
    }

    void ReadTime(JsonItem item, int field)
    {
        var raw = Raw(item, field);
        if (raw.IsEmpty)
            return;
        if (!ReadingTime.TryParse(raw, out var time))
        {
            item.Problem ??=
                $"{fields[field].Key.Name} is {JsonProblem.Quote(raw.Trim((byte)'"'))}, which is not a time; {ReadingTime.AcceptedForms}";
            item.Replaced |= 1u << field;
            return;
        }
        if (item.ObservedAtUs == JsonItem.Unknown)
            item.ObservedAtUs = time.Microseconds;
        var isSame =
            fields[field].Role == JsonRole.Second
                ? Instants.Seconds(time.Microseconds) == Instants.Seconds(item.ObservedAtUs)
                : time.Microseconds == item.ObservedAtUs;
        if (fields[field].Role != JsonRole.OwnKey && !(isSame && time.IsUtc))
            item.Replaced |= 1u << field;
    }

    public override uint Fingerprint(int index)
    {
        var item = items[index];
        var text = payload.Span;
        var hash = new ValueHash();
        for (var i = 0; i < item.Values.Length; i++)
        {
            if (
                fields[i].Role is JsonRole.DeviceId or JsonRole.BootId or JsonRole.Sequence
                || Raw(text, item, i) is not { IsEmpty: false } raw
            )
                continue;
            hash.Add((ulong)i);
            hash.AddJson(raw);
        }
        if (item.Extra is null)
            return hash.Value;
        // The hash must not depend on their order.
        var extras = 0UL;
        foreach (var (key, value) in item.Extra)
        {
            var extra = new ValueHash();
            extra.Add(Encoding.UTF8.GetBytes(key));
            extra.AddJson(value.Span);
            extras += extra.Value;
        }
        hash.Add(extras);
        return hash.Value;
    }

    ReadOnlySpan<byte> Raw(JsonItem item, int field) => Raw(payload.Span, item, field);

    /// <summary>The value of a field as it came; empty for null, and without one.</summary>
    internal static ReadOnlySpan<byte> Raw(ReadOnlySpan<byte> text, JsonItem item, int field)
    {
        var (start, length) = item.Value(field);
        return text.Slice(start, length);
    }

    long ObservedAtUs(JsonItem item) =>
        item.ObservedAtUs == JsonItem.Unknown ? Instants.ToMicroseconds(origin.ReceivedAt) : item.ObservedAtUs;

    public override void WriteRow(int index, IBufferWriter<byte> row, RowStamp stamp, long streamOffset) =>
        new JsonRow(payload.Span, fields, origin).Write(
            items[index],
            Identity(index),
            ObservedAtUs(items[index]),
            row,
            stamp,
            streamOffset
        );

    string? LimitProblem(int index, RowLimits limits)
    {
        var item = items[index];
        var text = payload.Span;
        var columns = limits.Columns(Kind);
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i] is not { } column || column.SurelyHolds(Raw(text, item, i)))
                continue;
            // Values that the forwarder writes itself, and nulls, are judged only by their key.
            var problem = fields[i].Role switch
            {
                JsonRole.Value or JsonRole.OwnKey => column.Problem(fields[i].Key.Name, Raw(text, item, i)),
                JsonRole.SystemTime when !Raw(text, item, i).IsEmpty => column.Problem(fields[i].Key.Name, Raw(text, item, i)),
                JsonRole.DeviceId when !column.HoldsText(origin.DeviceId.Length) => column.Problem(
                    fields[i].Key.Name,
                    origin.QuotedDeviceId
                ),
                JsonRole.BootId when item.BootId.Length > 0 => column.Problem(fields[i].Key.Name, Raw(text, item, i)),
                _ => null,
            };
            if (problem is not null)
                return problem;
        }
        return limits.ExtraProblem(item.Extra);
    }

    public override bool IsClockNotSet(int index) =>
        items[index].ObservedAtUs is not JsonItem.Unknown and < ReadingTime.ClockSetMicroseconds;

    public override bool HasUnknownKeys(int index)
    {
        var item = items[index];
        if (item.Values.Length > 0 && item.Extra is null)
            return false;
        return (!HasMeasurement(item) && item.Extra?.Keys.Any(IsMeasurement) != true) || item.Extra?.Keys.Any(KnownKeys.IsMisspelt) == true;
    }

    bool HasMeasurement(JsonItem item)
    {
        foreach (var field in fields.Measurements)
        {
            if (item.Value(field).Length > 0)
                return true;
        }
        return false;
    }

    public override IReadOnlyCollection<string> UnknownKeys(int index) =>
        items[index].Extra is { } extra ? [.. extra.Keys.Where(key => !HasColumn(key))] : [];

    bool HasColumn(string key) => Kind == ReadingKind.Thermal && RowLimits.IsOptional(key);

    bool IsMeasurement(string key) => Kind == ReadingKind.Thermal && RowLimits.IsOptionalMeasurement(key);

    public override InverterReading Inverter(int index)
    {
        if (Kind != ReadingKind.Inverter)
            throw new InvalidOperationException("These readings are of kind thermal.");
        var item = items[index];
        var identity = Identity(index);
        var reading = new InverterReading
        {
            Sequence = identity.Sequence,
            ObservedAtUs = ObservedAtUs(item),
            InverterId = Raw(item, 0) is { IsEmpty: false } id ? JsonText.Of(id) : "",
            FaultStatus = Raw(item, 10) is { IsEmpty: false } fault
                ? InverterFaults.Parse(JsonText.Of(fault)) ?? FaultStatus.None
                : FaultStatus.None,
        };
        if (Number(item, 1) is { } pac)
            reading.PacW = pac;
        if (Number(item, 2) is { } output)
            reading.EnergyOutputKwh = output;
        if (Number(item, 3) is { } efficiency)
            reading.EnergyConversionEfficiencyPercent = efficiency;
        if (Number(item, 4) is { } ratio)
            reading.PerformanceRatio = ratio;
        if (Number(item, 5) is { } uptime)
            reading.SystemUptimePercent = uptime;
        if (Number(item, 6) is { } temperature)
            reading.TemperatureC = temperature;
        if (Number(item, 7) is { } input)
            reading.InputVoltageV = input;
        if (Number(item, 8) is { } outputVoltage)
            reading.OutputVoltageV = outputVoltage;
        if (Number(item, 9) is { } frequency)
            reading.FrequencyHz = frequency;
        return reading;
    }

    public override byte[] Select(IReadOnlyList<int> indexes)
    {
        var buffer = new ArrayBufferWriter<byte>(payload.Length);
        foreach (var index in indexes)
        {
            var (start, length) = items[index].Whole;
            buffer.Write(payload.Span.Slice(start, length));
            buffer.Write("\n"u8);
        }
        return buffer.WrittenSpan.ToArray();
    }

    double? Number(JsonItem item, int field) =>
        Raw(item, field).Trim("\" \t\r\n+"u8) is { IsEmpty: false } raw
        && Utf8Parser.TryParse(raw, out double value, out var length)
        && length == raw.Length
            ? value
            : null;
}
