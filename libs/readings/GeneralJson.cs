using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>Reads JSON of any spelling, or says what is wrong with all of it or with one reading.</summary>
static class GeneralJson
{
    /// <summary>Most values of one payload under keys that the rows do not have: each takes some 80 bytes besides its text.</summary>
    const int MaxExtras = 200_000;

    /// <param name="payload">Valid UTF-8.</param>
    /// <param name="fields">The keys of the rows.</param>
    /// <param name="extras">Counts the values under keys that are not fields.</param>
    /// <returns>The readings; one that cannot be taken has a <see cref="JsonItem.Problem"/>.</returns>
    /// <exception cref="NotJsonException">It is not JSON, or neither an object nor an array.</exception>
    /// <exception cref="PayloadException">It does not hold readings, or too many.</exception>
    public static List<JsonItem> Read(ReadOnlyMemory<byte> payload, JsonFields fields, ref int extras)
    {
        var items = new List<JsonItem>(1);
        Span<Place> values = stackalloc Place[fields.Count];
        var reader = new Utf8JsonReader(payload.Span, new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 32 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray && reader.CurrentDepth == 0)
                    continue;
                // Checked here and not at the end: an empty object is three bytes of text and a hundred in memory.
                if (items.Count == Payload.MaxReadings)
                    throw Payload.TooMany();
                items.Add(
                    reader.TokenType == JsonTokenType.StartObject
                        ? ReadObject(payload, ref reader, values, fields, ref extras)
                        : ReadOther(ref reader)
                );
            }
        }
        catch (JsonException e)
        {
            throw new NotJsonException(JsonProblem.Describe(payload.Span, e));
        }
        return items.Count > 0 ? items : throw new NotJsonException("holds no reading");
    }

    /// <summary>The kind of JSON value that is there in place of a reading.</summary>
    static JsonItem ReadOther(ref Utf8JsonReader reader)
    {
        var problem = $"it is a JSON {Name(reader.TokenType)}; an object such as {{\"temperature\": 21.5}} is expected";
        if (reader.CurrentDepth == 0)
            throw new NotJsonException(problem);
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new JsonItem(Place.Between(start, (int)reader.BytesConsumed), [], null) { Problem = problem };
    }

    /// <param name="payload">All of it.</param>
    /// <param name="reader">At the start of the object.</param>
    /// <param name="values">Working space, one for each field.</param>
    /// <param name="fields">The keys of the rows.</param>
    /// <param name="extras">Counts the keys that are not fields.</param>
    static JsonItem ReadObject(
        ReadOnlyMemory<byte> payload,
        ref Utf8JsonReader reader,
        scoped Span<Place> values,
        JsonFields fields,
        ref int extras
    )
    {
        values.Clear();
        var present = 0;
        string? problem = null;
        Dictionary<string, ReadOnlyMemory<byte>>? extra = null;
        var start = (int)reader.TokenStartIndex;
        var next = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // A key with an escape may not be valid text.
            var isKey = !reader.ValueIsEscaped || ReadText(ref reader, ref problem) is not null;
            var field = isKey ? Find(fields, ref reader, ref next) : -1;
            var key = isKey && field < 0 && !IsStamp(ref reader) ? reader.GetString() : null;
            reader.Read();
            var valueStart = (int)reader.TokenStartIndex;
            if (field >= 0)
                problem ??= CheckType(fields[field], ref reader);
            var type = reader.TokenType;
            var members = SkipValue(ref reader, ref problem);
            var value = Place.Between(valueStart, (int)reader.BytesConsumed);
            // If a key comes twice, the last one counts, as with every JSON reader.
            if (field >= 0)
            {
                values[field] = type == JsonTokenType.Null ? default : value;
                present = Math.Max(present, field + 1);
            }
            else if (key is not null)
            {
                extras += 1 + members;
                if (extras > MaxExtras)
                    throw new PayloadException($"holds more than {MaxExtras} values under keys that its rows do not have");
                // A reading with a problem is not stored, and a text in it may be unreadable.
                (extra ??= new(StringComparer.Ordinal))[key] =
                    members > 1 && problem is null
                        ? NestedJson.WithoutRepeats(payload.Slice(value.Start, value.Length))
                        : payload.Slice(value.Start, value.Length);
            }
        }
        return new JsonItem(Place.Between(start, (int)reader.BytesConsumed), values[..present].ToArray(), extra) { Problem = problem };
    }

    /// <summary>Skips to the end of a value, and checks that its texts can be read: later code must not be the first to find out.</summary>
    /// <returns>How many members the objects in it have.</returns>
    static int SkipValue(ref Utf8JsonReader reader, ref string? problem)
    {
        var members = 0;
        var depth = reader.CurrentDepth;
        if (reader.TokenType == JsonTokenType.String)
            ReadEscaped(ref reader, ref problem);
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return 0;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            members += reader.TokenType == JsonTokenType.PropertyName ? 1 : 0;
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                ReadEscaped(ref reader, ref problem);
        }
        return members;
    }

    static void ReadEscaped(ref Utf8JsonReader reader, ref string? problem)
    {
        if (reader.ValueIsEscaped)
            ReadText(ref reader, ref problem);
    }

    static string? ReadText(ref Utf8JsonReader reader, ref string? problem)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair, which UTF-8 cannot encode.
            problem ??= "a text holds half of a surrogate pair (\\ud83d without its other half), which is not a character";
            return null;
        }
    }

    static int Find(JsonFields fields, ref Utf8JsonReader reader, ref int next)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            var candidate = (next + i) % fields.Count;
            if (!reader.ValueTextEquals(fields[candidate].Key.Quoted[1..^1]))
                continue;
            next = candidate + 1;
            return candidate;
        }
        return -1;
    }

    /// <summary>Keys that the forwarder writes itself.</summary>
    static bool IsStamp(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("forwarded_at"u8) || reader.ValueTextEquals("channel_id"u8) || reader.ValueTextEquals("stream_offset"u8);

    /// <summary>Null when the field may hold it.</summary>
    static string? CheckType(JsonField field, ref Utf8JsonReader reader)
    {
        if (reader.TokenType is JsonTokenType.Null or JsonTokenType.Number)
            return null;
        if (reader.TokenType != JsonTokenType.String)
            return $"{field.Key.Name} is a JSON {Name(reader.TokenType)}{Value(ref reader)}; {Expected(field.Type)}, or null";
        if (
            field.Type != JsonType.Number
            || (!reader.ValueIsEscaped && DecimalNumber.TryParse(reader.ValueSpan.Trim(NumberText.Space), out _))
        )
            return null;
        var hint = reader.ValueSpan.Contains((byte)',') ? "; the decimal sign of JSON is the point" : "";
        return $"{field.Key.Name} is the text {JsonProblem.Quote(reader.ValueSpan)}, which is not a number; send a number, or null "
            + $"for a value that the sensor did not deliver{hint}";
    }

    static string Value(ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.True or JsonTokenType.False
            ? reader.TokenType == JsonTokenType.True
                ? " (true)"
                : " (false)"
            : "";

    static string Expected(JsonType type) =>
        type switch
        {
            JsonType.Number => "a number is expected",
            JsonType.Time => $"a time is expected, {ReadingTime.AcceptedForms}",
            _ => "a string is expected",
        };

    static string Name(JsonTokenType token) =>
        token switch
        {
            JsonTokenType.StartArray => "array",
            JsonTokenType.StartObject => "object",
            JsonTokenType.String => "string",
            JsonTokenType.Number => "number",
            JsonTokenType.True or JsonTokenType.False => "boolean",
            JsonTokenType.Null => "null",
            _ => "fragment",
        };
}
