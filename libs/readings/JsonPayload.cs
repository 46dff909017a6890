using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace ThermalStreaming.Readings;

/// <summary>
/// Readings as JSON: one object, an array of them, or several one after the other (NDJSON), with the keys of the rows. Keys that the rows do not know are
/// passed on as they are; keys that are missing become null, and null is the same as missing. Values are copied byte for byte, so what was sent is what arrives.
/// </summary>
sealed class JsonPayload : Payload
{
    /// <summary>What a known key may hold. Null is always allowed.</summary>
    enum Type { Text, Number, TextOrNumber }

    /// <summary>What a reading's identity or time is taken from.</summary>
    enum Role { None, DeviceId, BootId, Sequence, ObservedAt, Stamp, Second }

    sealed record Field(JsonEncodedText Key, Type Type, Role Role = Role.None)
    {
        /// <summary>What is between the value before it and its own.</summary>
        public byte[] Separator { get; } = [.. ",\""u8, .. Key.EncodedUtf8Bytes, .. "\":"u8];
    }

    static readonly Field[] ThermalFields =
    [
        new(ThermalRow.Uuid, Type.Text), new(ThermalRow.RowId, Type.Text), new(ThermalRow.IpAddress, Type.Text), new(ThermalRow.MacAddress, Type.Text),
        new(ThermalRow.HostKey, Type.Text), new(ThermalRow.HostName, Type.Text), new(ThermalRow.LocalHostName, Type.Text),
        new(ThermalRow.CpuTempF, Type.Number), new(ThermalRow.Runtime, Type.Number), new(ThermalRow.SystemTime, Type.Text), new(ThermalRow.StartTime, Type.Text),
        new(ThermalRow.EndTime, Type.TextOrNumber), new(ThermalRow.Te, Type.TextOrNumber), new(ThermalRow.Ts, Type.Number, Role.Second), new(ThermalRow.DateTimeStamp, Type.Text, Role.Stamp),
        new(ThermalRow.Cpu, Type.Number), new(ThermalRow.Memory, Type.Number), new(ThermalRow.DiskUsage, Type.Text),
        new(ThermalRow.Temperature, Type.Number), new(ThermalRow.Humidity, Type.Number), new(ThermalRow.Co2, Type.Number), new(ThermalRow.Pressure, Type.Number),
        new(ThermalRow.TemperatureIcp, Type.Number), new(ThermalRow.EquivalentCo2, Type.Number), new(ThermalRow.TotalVoc, Type.Number),
        new(ThermalRow.DeviceId, Type.Text, Role.DeviceId), new(ThermalRow.BootId, Type.Text, Role.BootId), new(ThermalRow.Sequence, Type.Number, Role.Sequence),
    ];

    static readonly Field[] InverterFields =
    [
        new(InverterRow.Id, Type.Text), new(InverterRow.Pac, Type.Number), new(InverterRow.EnergyOutput, Type.Number), new(InverterRow.Efficiency, Type.Number),
        new(InverterRow.PerformanceRatio, Type.Number), new(InverterRow.SystemUptime, Type.Number), new(InverterRow.Temperature, Type.Number),
        new(InverterRow.InputVoltage, Type.Number), new(InverterRow.OutputVoltage, Type.Number), new(InverterRow.Frequency, Type.Number),
        new(InverterRow.FaultStatusKey, Type.Text),
        new(ThermalRow.DeviceId, Type.Text, Role.DeviceId), new(ThermalRow.BootId, Type.Text, Role.BootId), new(ThermalRow.Sequence, Type.Number, Role.Sequence), new(InverterRow.ObservedAt, Type.TextOrNumber, Role.ObservedAt),
    ];

    /// <summary>Most values of one payload under keys that the rows do not know: each takes some 75 bytes besides its text.</summary>
    const int MaxExtras = 200_000;

    const int LargestKeptScratch = 64 << 10;

    [ThreadStatic]
    static ArrayBufferWriter<byte>? scratch;

    readonly ReadOnlyMemory<byte> payload;
    readonly Field[] fields;
    readonly Item[] items;

    JsonPayload(ReadOnlyMemory<byte> payload, ReadingKind kind, Item[] items)
    {
        this.payload = payload;
        this.items = items;
        Kind = kind;
        fields = Fields(kind);
    }

    public override ReadingKind Kind { get; }

    public override int Count => items.Length;

    public override bool Replayed => false;

    public override ReadingIdentity Identity(int index) => new(items[index].DeviceId, items[index].BootId, Kind, items[index].Sequence);

    public override DateTimeOffset ObservedAt(int index) => items[index].ObservedAt;

    public static JsonPayload Decode(ReadOnlyMemory<byte> payload, string topicDeviceId, ReadingKind kind, DateTimeOffset receivedAt)
    {
        // The reader checks the grammar but not the text inside strings.
        if (!Utf8.IsValid(payload.Span))
            throw new PayloadException("not JSON: it is not valid UTF-8");
        var items = new List<Item>(1);
        var extras = 0;
        Span<Range> values = stackalloc Range[Fields(kind).Length];
        var reader = new Utf8JsonReader(payload.Span, new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 32 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray && reader.CurrentDepth == 0)
                    continue;
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw new PayloadException($"reading {items.Count + 1} is a JSON {Name(reader.TokenType)}; an object is expected");
                // Not after the last one: an empty object is three bytes of text and a hundred in memory.
                if (items.Count == MaxReadings)
                    throw TooMany();
                var item = ReadItem(ref reader, values, kind, items.Count > 0 ? items[^1] : null, topicDeviceId, receivedAt, items.Count + 1, MaxExtras - extras);
                extras += item.Extra?.Count ?? 0;
                items.Add(item);
            }
        }
        catch (JsonException e)
        {
            throw new PayloadException($"not JSON: byte {e.BytePositionInLine} of line {e.LineNumber + 1} is not what the grammar allows there");
        }
        catch (InvalidOperationException)
        {
            // GetString of an escaped half of a surrogate pair, which no UTF-8 can spell.
            throw new PayloadException("not JSON: a text holds half of a surrogate pair");
        }
        return items.Count > 0 ? new JsonPayload(payload, kind, [.. items]) : throw new PayloadException("holds no reading");
    }

    /// <param name="reader">At the start of the object.</param>
    /// <param name="values">To work in, one for each field.</param>
    /// <param name="kind">Of the payload.</param>
    /// <param name="before">The item before this one.</param>
    /// <param name="topicDeviceId">Counts when the object names no device.</param>
    /// <param name="receivedAt">Counts when it carries no time.</param>
    /// <param name="number">From 1, for messages.</param>
    /// <param name="maxExtras">Most keys that are no fields.</param>
    static Item ReadItem(ref Utf8JsonReader reader, scoped Span<Range> values, ReadingKind kind, Item? before, string topicDeviceId, DateTimeOffset receivedAt, int number, int maxExtras)
    {
        var fields = Fields(kind);
        values.Clear();
        var present = 0;
        Dictionary<string, Range>? extra = null;
        var start = (int)reader.TokenStartIndex;
        string deviceId = topicDeviceId, bootId = "";
        ulong sequence = 0;
        DateTimeOffset? observedAt = null, stampedAt = null, secondAt = null;
        var next = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = Find(fields, ref reader, ref next);
            var role = field >= 0 ? fields[field].Role : reader.ValueTextEquals("observed_at"u8) ? Role.ObservedAt : Role.None;
            var key = field < 0 && !IsStamp(ref reader) ? reader.GetString() : null;
            reader.Read();
            var valueStart = (int)reader.TokenStartIndex;
            if (field >= 0)
                CheckType(fields[field], reader.TokenType, number);
            if (reader.TokenType != JsonTokenType.Null)
            {
                // Whoever reads the text later must not be the first to find that it cannot be read.
                if (field >= 0 && reader.ValueIsEscaped)
                    _ = reader.GetString();
                switch (role)
                {
                    // Neighbours, and messages of a topic, mostly name the same device and boot: one text serves all.
                    case Role.DeviceId:
                        deviceId = reader.ValueTextEquals(topicDeviceId) ? topicDeviceId
                            : before is not null && reader.ValueTextEquals(before.DeviceId) ? before.DeviceId
                            : reader.GetString() is { } named && Topics.IsDeviceId(named) ? named
                            : throw new PayloadException($"device_id of reading {number} is empty, longer than 100 characters, or holds one of + # / or a control character");
                        break;
                    case Role.BootId:
                        bootId = before is not null && reader.ValueTextEquals(before.BootId) ? before.BootId
                            : reader.GetString() is { Length: <= 64 } boot ? boot
                            : throw new PayloadException($"boot_id of reading {number} is longer than 64 characters");
                        break;
                    case Role.Sequence:
                        sequence = reader.TryGetUInt64(out var value) ? value : throw new PayloadException($"sequence of reading {number} is not a whole number from 0");
                        break;
                    case Role.ObservedAt:
                        observedAt = ReadInstant(ref reader, "observed_at", number);
                        break;
                    case Role.Stamp:
                        stampedAt = TryReadText(ref reader, out var stamped) ? stamped : null;
                        break;
                    case Role.Second:
                        secondAt = reader.TryGetInt64(out var second) && second is >= 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(second) : null;
                        break;
                }
            }
            var isNull = reader.TokenType == JsonTokenType.Null;
            reader.Skip();
            var valueEnd = (int)reader.BytesConsumed;
            // Of a key that comes twice the last one counts, as with every JSON reader.
            if (field >= 0)
            {
                values[field] = isNull ? default : valueStart..valueEnd;
                present = Math.Max(present, field + 1);
            }
            else if (key is not null)
            {
                (extra ??= new(StringComparer.Ordinal))[key] = valueStart..valueEnd;
                if (extra.Count > maxExtras)
                    throw new PayloadException($"holds more than {MaxExtras} values under keys that its rows do not have");
            }
        }
        return new Item(start..(int)reader.BytesConsumed, values[..present].ToArray(), extra, deviceId, bootId, sequence, observedAt ?? stampedAt ?? secondAt ?? receivedAt);
    }

    // A sender writes its keys in the same order every time, so the next key is nearly always the one after the last.
    static int Find(Field[] fields, ref Utf8JsonReader reader, ref int next)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            var candidate = (next + i) % fields.Length;
            if (!reader.ValueTextEquals(fields[candidate].Key.EncodedUtf8Bytes))
                continue;
            next = candidate + 1;
            return candidate;
        }
        return -1;
    }

    /// <summary>Keys that the forwarder writes itself.</summary>
    static bool IsStamp(ref Utf8JsonReader reader)
        => reader.ValueTextEquals("forwarded_at"u8) || reader.ValueTextEquals("channel_id"u8) || reader.ValueTextEquals("stream_offset"u8);

    /// <summary>A point in time spelled in full, as nearly all are, needs no general parser.</summary>
    static bool TryReadText(ref Utf8JsonReader reader, out DateTimeOffset instant)
    {
        var text = reader.ValueSpan;
        // Without its offset the reader would take it for the local time.
        var isFull = text.Length is > 19 and <= 33 && (text[^1] == (byte)'Z' || (text.Length > 25 && text[^6] is (byte)'+' or (byte)'-'));
        if (!isFull || !reader.TryGetDateTimeOffset(out instant))
            return Instants.TryParse(reader.GetString()!, out instant);
        instant = instant.ToUniversalTime();
        return true;
    }

    static DateTimeOffset ReadInstant(ref Utf8JsonReader reader, string key, int number)
    {
        if (reader.TokenType == JsonTokenType.String && TryReadText(ref reader, out var instant))
            return instant;
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds) && seconds is >= 0 and < 253_402_300_800)
            return DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * 1e6) * 10);
        throw new PayloadException($"{key} of reading {number} is neither an ISO 8601 time nor seconds since 1970");
    }

    static void CheckType(Field field, JsonTokenType token, int number)
    {
        var fits = token switch
        {
            JsonTokenType.Null => true,
            JsonTokenType.String => field.Type != Type.Number,
            JsonTokenType.Number => field.Type != Type.Text,
            _ => false,
        };
        if (!fits)
            throw new PayloadException($"{field.Key} of reading {number} is a JSON {Name(token)}; a {(field.Type == Type.Number ? "number" : "string")} or null is expected");
    }

    static string Name(JsonTokenType token) => token switch
    {
        JsonTokenType.StartArray => "array",
        JsonTokenType.StartObject => "object",
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        JsonTokenType.True or JsonTokenType.False => "boolean",
        JsonTokenType.Null => "null",
        _ => "fragment",
    };

    static Field[] Fields(ReadingKind kind) => kind == ReadingKind.Thermal ? ThermalFields : InverterFields;

    public override InverterReading Inverter(int index)
    {
        if (Kind != ReadingKind.Inverter)
            throw new InvalidOperationException("These readings are of kind thermal.");
        var item = items[index];
        var reading = new InverterReading
        {
            Sequence = item.Sequence,
            ObservedAtUs = Instants.ToMicroseconds(item.ObservedAt),
            InverterId = Text(item, 0) ?? "",
            FaultStatus = InverterFaults.Parse(Text(item, 10) ?? "None") ?? FaultStatus.None,
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

    public override void WriteRow(int index, Utf8JsonWriter json, in RowStamp stamp)
    {
        var item = items[index];
        Span<byte> text = stackalloc byte[64];
        json.WriteStartObject();
        // All fields as one raw value, that of the first: a call of the writer for each key and value takes several times as long.
        var values = scratch ??= new ArrayBufferWriter<byte>(1024);
        values.ResetWrittenCount();
        for (var i = 0; i < fields.Length; i++)
        {
            if (i > 0)
                values.Write(fields[i].Separator);
            var raw = payload.Span[item.Value(i)];
            if (!raw.IsEmpty)
                values.Write(raw);
            else
                WriteMissing(fields[i].Role, fields[i].Key, item, values, text);
        }
        json.WritePropertyName(fields[0].Key);
        json.WriteRawValue(values.WrittenSpan, skipInputValidation: true);
        if (values.Capacity > LargestKeptScratch)
            scratch = null;
        foreach (var (key, value) in item.Extra ?? [])
        {
            json.WritePropertyName(key);
            WriteExtra(payload.Span[value], json);
        }
        if (Kind == ReadingKind.Thermal)
            ThermalRow.WriteStamp(json, stamp, text);
        json.WriteEndObject();
    }

    // A nested value may be spread over lines; a row of NDJSON must not be.
    static void WriteExtra(ReadOnlySpan<byte> raw, Utf8JsonWriter json)
    {
        if (!raw.ContainsAny((byte)'\n', (byte)'\r'))
        {
            json.WriteRawValue(raw, skipInputValidation: true);
            return;
        }
        var line = new byte[raw.Length];
        var length = 0;
        var inText = false;
        for (var i = 0; i < raw.Length; i++)
        {
            if (!inText && raw[i] is ((byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r'))
                continue;
            line[length++] = raw[i];
            if (raw[i] == '"')
                inText = !inText;
            else if (raw[i] == '\\')
                line[length++] = raw[++i];
        }
        json.WriteRawValue(line.AsSpan(0, length), skipInputValidation: true);
    }

    static void WriteMissing(Role role, JsonEncodedText key, Item item, ArrayBufferWriter<byte> values, Span<byte> text)
    {
        if (role == Role.DeviceId)
        {
            values.Write("\""u8);
            values.Write(JsonEncodedText.Encode(item.DeviceId, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
            values.Write("\""u8);
        }
        else if (role == Role.Second)
        {
            Utf8Formatter.TryFormat(item.ObservedAt.ToUnixTimeSeconds(), text, out var length);
            values.Write(text[..length]);
        }
        else if (key.Equals(ThermalRow.SystemTime))
        {
            Instants.FormatAmerican(item.ObservedAt, text[1..]);
            WriteQuoted(values, text[..(Instants.AmericanLength + 2)]);
        }
        else if (role is Role.Stamp or Role.ObservedAt)
        {
            Instants.FormatIso(item.ObservedAt, text[1..]);
            WriteQuoted(values, text[..(Instants.IsoLength + 2)]);
        }
        else
        {
            values.Write("null"u8);
        }
    }

    /// <param name="values">Where to.</param>
    /// <param name="text">With room for a quotation mark at either end.</param>
    static void WriteQuoted(ArrayBufferWriter<byte> values, Span<byte> text)
    {
        text[0] = text[^1] = (byte)'"';
        values.Write(text);
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

    static string Unescape(ReadOnlySpan<byte> quoted)
    {
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }

    string? Text(Item item, int field)
    {
        var raw = payload.Span[item.Value(field)];
        return raw.IsEmpty || raw[0] != '"' ? null : Unescape(raw);
    }

    double? Number(Item item, int field)
        => double.TryParse(Encoding.ASCII.GetString(payload.Span[item.Value(field)]), System.Globalization.CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>Where the parts of one object lie in the payload. The values end with the last field that is there.</summary>
    sealed record Item(Range Whole, Range[] Values, Dictionary<string, Range>? Extra, string DeviceId, string BootId, ulong Sequence, DateTimeOffset ObservedAt)
    {
        /// <summary>Empty for a missing key.</summary>
        public Range Value(int field) => field < Values.Length ? Values[field] : default;
    }
}
