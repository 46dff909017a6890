using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ThermalStreaming.Readings;

/// <summary>
/// Where the parts of one object lie in a payload. The values end with the last field that is there; of a missing key, and of null, they are empty. Extra are
/// the values of keys that the rows do not know.
/// </summary>
sealed record JsonItem(Range Whole, Range[] Values, Dictionary<string, Range>? Extra)
{
    public string DeviceId { get; set; } = "";

    public string BootId { get; set; } = "";

    public ulong Sequence { get; set; }

    /// <summary>Empty for a field that the object, or the kind, does not have.</summary>
    public Range Value(int field) => (uint)field < (uint)Values.Length ? Values[field] : default;
}

/// <summary>
/// Readings as JSON: one object, an array of them, or several one after the other (NDJSON), with the keys of the rows. Keys that the rows do not know are
/// passed on as they are; keys that are missing become null, and null is the same as missing. Values are copied byte for byte, so what was sent is what arrives.
/// </summary>
sealed class JsonPayload : Payload
{
    /// <summary>Thermal rows have no such key, but it counts.</summary>
    internal const string ObservedAtKey = "observed_at";

    readonly ReadOnlyMemory<byte> payload;
    readonly JsonFields fields;
    readonly List<JsonItem> items;
    readonly DateTimeOffset receivedAt;

    JsonPayload(ReadOnlyMemory<byte> payload, ReadingKind kind, List<JsonItem> items, DateTimeOffset receivedAt)
    {
        this.payload = payload;
        this.items = items;
        this.receivedAt = receivedAt;
        Kind = kind;
        fields = JsonFields.Of(kind);
    }

    public override ReadingKind Kind { get; }

    public override int Count => items.Count;

    public override bool Replayed => false;

    public override ReadingIdentity Identity(int index) => new(items[index].DeviceId, items[index].BootId, Kind, items[index].Sequence);

    public override DateTimeOffset ObservedAt(int index) => ObservedAt(items[index]);

    public static JsonPayload Decode(ReadOnlyMemory<byte> payload, string topicDeviceId, ReadingKind kind, DateTimeOffset receivedAt)
    {
        // Neither reader checks the text inside strings.
        if (!Utf8.IsValid(payload.Span))
            throw new PayloadException("not JSON: it is not valid UTF-8");
        var fields = JsonFields.Of(kind);
        var items = PlainJson.TryRead(payload.Span, fields) ?? GeneralJson.Read(payload.Span, fields);
        var decoded = new JsonPayload(payload, kind, items, receivedAt);
        for (var i = 0; i < items.Count; i++)
            decoded.Identify(items[i], i > 0 ? items[i - 1] : null, topicDeviceId, i + 1);
        return decoded;
    }

    /// <param name="item">Of which only the places are known.</param>
    /// <param name="before">The item before this one.</param>
    /// <param name="topicDeviceId">Counts when the object names no device.</param>
    /// <param name="number">From 1, for messages.</param>
    void Identify(JsonItem item, JsonItem? before, string topicDeviceId, int number)
    {
        // Neighbours, and messages of a topic, mostly name the same device and boot: one text serves all.
        var device = Raw(item, fields.DeviceId);
        item.DeviceId = device.IsEmpty || IsText(device, topicDeviceId) ? topicDeviceId
            : before is not null && IsText(device, before.DeviceId) ? before.DeviceId
            : Text(device) is var named && Topics.IsDeviceId(named) ? named
            : throw new PayloadException($"device_id of reading {number} is empty, longer than 100 characters, or holds one of + # / or a control character");
        var boot = Raw(item, fields.BootId);
        item.BootId = boot.IsEmpty ? ""
            : before is not null && IsText(boot, before.BootId) ? before.BootId
            : Text(boot) is { Length: <= 64 } started ? started
            : throw new PayloadException($"boot_id of reading {number} is longer than 64 characters");
        var sequence = Raw(item, fields.Sequence);
        if (!sequence.IsEmpty)
        {
            item.Sequence = Utf8Parser.TryParse(sequence, out ulong value, out var length) && length == sequence.Length ? value
                : throw new PayloadException($"sequence of reading {number} is not a whole number from 0");
        }
        var observedAt = RawObservedAt(item);
        if (!observedAt.IsEmpty && !TryReadInstant(observedAt, out _))
            throw new PayloadException($"{ObservedAtKey} of reading {number} is neither an ISO 8601 time nor seconds since 1970");
    }

    ReadOnlySpan<byte> Raw(JsonItem item, int field) => payload.Span[item.Value(field)];

    ReadOnlySpan<byte> RawObservedAt(JsonItem item)
    {
        if (fields.ObservedAt >= 0)
            return Raw(item, fields.ObservedAt);
        return item.Extra?.TryGetValue(ObservedAtKey, out var value) == true && payload.Span[value] is var raw && !raw.SequenceEqual("null"u8) ? raw : default;
    }

    DateTimeOffset ObservedAt(JsonItem item)
    {
        if (RawObservedAt(item) is { IsEmpty: false } observed && TryReadInstant(observed, out var instant))
            return instant;
        if (Raw(item, fields.Stamp) is { IsEmpty: false } stamp && TryReadText(stamp, out instant))
            return instant;
        return Raw(item, fields.Second) is { IsEmpty: false } raw && Utf8Parser.TryParse(raw, out long second, out var length) && length == raw.Length && second is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(second)
            : receivedAt;
    }

    static bool TryReadInstant(ReadOnlySpan<byte> raw, out DateTimeOffset instant)
    {
        if (raw[0] == '"')
            return TryReadText(raw, out instant);
        var isTime = Utf8Parser.TryParse(raw, out double seconds, out var length) && length == raw.Length && seconds is >= 0 and < 253_402_300_800;
        instant = isTime ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * 1e6) * 10) : default;
        return isTime;
    }

    /// <summary>A point in time spelled in full, as nearly all are, needs no general parser.</summary>
    static bool TryReadText(ReadOnlySpan<byte> raw, out DateTimeOffset instant)
    {
        var text = raw[1..^1];
        // Without its offset the reader would take it for the local time.
        var isFull = text.Length is > 19 and <= 33 && (text[^1] == (byte)'Z' || (text.Length > 25 && text[^6] is (byte)'+' or (byte)'-'));
        var reader = new Utf8JsonReader(raw);
        reader.Read();
        if (!isFull || !reader.TryGetDateTimeOffset(out instant))
            return Instants.TryParse(reader.GetString()!, out instant);
        instant = instant.ToUniversalTime();
        return true;
    }

    public override void WriteRow(int index, IBufferWriter<byte> target, RowStamp stamp, long streamOffset)
    {
        var item = items[index];
        var device = Raw(item, fields.DeviceId) is { IsEmpty: true } ? RowText.Quoted(item.DeviceId) : [];
        var row = new RowText(target, item.Whole.End.Value - item.Whole.Start.Value + fields.KeyBytes + fields.Count * RowText.ValueBytes + device.Length
            + ExtraKeyBytes(item) + stamp.Bytes.Length + 2 * RowText.ValueBytes);
        for (var i = 0; i < fields.Count; i++)
        {
            if (i > 0)
                row.Add(fields[i].Key);
            else
                row.Begin(fields[i].Key);
            var raw = Raw(item, i);
            if (!raw.IsEmpty)
                row.Add(raw);
            else if (i == fields.DeviceId)
                row.Add(device);
            else if (i == fields.Second)
                row.Add(ObservedAt(item).ToUnixTimeSeconds());
            else if (i == fields.SystemTime || i == fields.Stamp || i == fields.ObservedAt)
                AddTime(ref row, ObservedAt(item), isAmerican: i == fields.SystemTime);
            else
                row.AddNull();
        }
        foreach (var (key, value) in item.Extra ?? [])
        {
            row.Add(","u8);
            row.Add(RowText.Quoted(key));
            row.Add(":"u8);
            AddLine(ref row, payload.Span[value]);
        }
        if (Kind == ReadingKind.Thermal)
        {
            row.Add(stamp.Bytes);
            row.Add(streamOffset);
        }
        row.Add("}"u8);
        row.End();
    }

    /// <summary>The most that they take: an escape is six bytes, and around a key are a comma, quotation marks and a colon.</summary>
    static int ExtraKeyBytes(JsonItem item) => item.Extra?.Keys.Sum(key => 6 * key.Length + 4) ?? 0;

    static void AddTime(ref RowText row, DateTimeOffset instant, bool isAmerican)
    {
        Span<byte> iso = stackalloc byte[Instants.IsoLength];
        Instants.FormatIso(instant, iso);
        if (!isAmerican)
        {
            row.AddQuoted(iso);
            return;
        }
        Span<byte> american = stackalloc byte[Instants.AmericanLength];
        Instants.FormatAmerican(iso, american);
        row.AddQuoted(american);
    }

    // A nested value may be spread over lines; a row of NDJSON must not be.
    static void AddLine(ref RowText row, ReadOnlySpan<byte> raw)
    {
        if (!raw.ContainsAny((byte)'\n', (byte)'\r'))
        {
            row.Add(raw);
            return;
        }
        var inText = false;
        for (var i = 0; i < raw.Length; i++)
        {
            if (!inText && raw[i] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                continue;
            var length = raw[i] == '\\' ? 2 : 1;
            if (raw[i] == '"')
                inText = !inText;
            row.Add(raw.Slice(i, length));
            i += length - 1;
        }
    }

    public override InverterReading Inverter(int index)
    {
        if (Kind != ReadingKind.Inverter)
            throw new InvalidOperationException("These readings are of kind thermal.");
        var item = items[index];
        var reading = new InverterReading
        {
            Sequence = item.Sequence,
            ObservedAtUs = Instants.ToMicroseconds(ObservedAt(item)),
            InverterId = Raw(item, 0) is { IsEmpty: false } id ? Text(id) : "",
            FaultStatus = Raw(item, 10) is { IsEmpty: false } fault ? InverterFaults.Parse(Text(fault)) ?? FaultStatus.None : FaultStatus.None,
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
            buffer.Write(payload.Span[items[index].Whole]);
            buffer.Write("\n"u8);
        }
        return buffer.WrittenSpan.ToArray();
    }

    double? Number(JsonItem item, int field)
        => Raw(item, field) is { IsEmpty: false } raw && Utf8Parser.TryParse(raw, out double value, out var length) && length == raw.Length ? value : null;

    /// <summary>Whether a JSON text is this one; false also when that takes a closer look.</summary>
    static bool IsText(ReadOnlySpan<byte> raw, string text) => Ascii.Equals(raw[1..^1], text) && !raw.Contains((byte)'\\');

    static string Text(ReadOnlySpan<byte> raw)
    {
        if (!raw.Contains((byte)'\\'))
            return Encoding.UTF8.GetString(raw[1..^1]);
        var reader = new Utf8JsonReader(raw);
        reader.Read();
        return reader.GetString()!;
    }
}
