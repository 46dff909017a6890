using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>Reads JSON of any spelling, or says what is wrong with it.</summary>
static class GeneralJson
{
    /// <summary>Most values of one payload under keys that the rows do not know: each takes some 75 bytes besides its text.</summary>
    const int MaxExtras = 200_000;

    /// <param name="text">Valid UTF-8.</param>
    /// <param name="fields">The keys of the rows.</param>
    /// <exception cref="PayloadException">It is not JSON, or does not hold readings.</exception>
    public static List<JsonItem> Read(ReadOnlySpan<byte> text, JsonFields fields)
    {
        var items = new List<JsonItem>(1);
        var extras = 0;
        Span<Range> values = stackalloc Range[fields.Count];
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 32 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray && reader.CurrentDepth == 0)
                    continue;
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw new PayloadException($"reading {items.Count + 1} is a JSON {Name(reader.TokenType)}; an object is expected");
                // Not after the last one: an empty object is three bytes of text and a hundred in memory.
                if (items.Count == Payload.MaxReadings)
                    throw Payload.TooMany();
                var item = ReadObject(ref reader, values, fields, items.Count + 1, MaxExtras - extras);
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
        return items.Count > 0 ? items : throw new PayloadException("holds no reading");
    }

    /// <param name="reader">At the start of the object.</param>
    /// <param name="values">To work in, one for each field.</param>
    /// <param name="fields">The keys of the rows.</param>
    /// <param name="number">From 1, for messages.</param>
    /// <param name="maxExtras">Most keys that are no fields.</param>
    static JsonItem ReadObject(ref Utf8JsonReader reader, scoped Span<Range> values, JsonFields fields, int number, int maxExtras)
    {
        values.Clear();
        var present = 0;
        Dictionary<string, Range>? extra = null;
        var start = (int)reader.TokenStartIndex;
        var next = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = Find(fields, ref reader, ref next);
            var key = field < 0 && !IsStamp(ref reader) ? reader.GetString() : null;
            reader.Read();
            var valueStart = (int)reader.TokenStartIndex;
            if (field >= 0)
                CheckType(fields[field], reader.TokenType, number);
            // Whoever reads the text later must not be the first to find that it cannot be read.
            if (reader.ValueIsEscaped && (field >= 0 || key == JsonPayload.ObservedAtKey))
                _ = reader.GetString();
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
        return new JsonItem(start..(int)reader.BytesConsumed, values[..present].ToArray(), extra);
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
    static bool IsStamp(ref Utf8JsonReader reader)
        => reader.ValueTextEquals("forwarded_at"u8) || reader.ValueTextEquals("channel_id"u8) || reader.ValueTextEquals("stream_offset"u8);

    static void CheckType(JsonField field, JsonTokenType token, int number)
    {
        var fits = token switch
        {
            JsonTokenType.Null => true,
            JsonTokenType.String => field.Type != JsonType.Number,
            JsonTokenType.Number => field.Type != JsonType.Text,
            _ => false,
        };
        if (!fits)
            throw new PayloadException($"{field.Key.Name} of reading {number} is a JSON {Name(token)}; a {(field.Type == JsonType.Number ? "number" : "string")} or null is expected");
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
}
