using System.Buffers;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>Objects within a value. Snowflake refuses a row in which a key comes twice; as in JavaScript, the last one counts.</summary>
static class NestedJson
{
    /// <param name="value">Valid JSON whose texts can be read.</param>
    /// <returns>The same bytes; or, if a key comes twice in one of its objects, the value without the members that do not count.</returns>
    public static ReadOnlyMemory<byte> WithoutRepeats(ReadOnlyMemory<byte> value)
    {
        using var document = JsonDocument.Parse(value);
        if (!HasRepeats(document.RootElement))
            return value;
        var written = new ArrayBufferWriter<byte>(value.Length);
        using (
            var json = new Utf8JsonWriter(
                written,
                new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
            Write(document.RootElement, json);
        return written.WrittenMemory;
    }

    static bool HasRepeats(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
            return element.EnumerateArray().Any(HasRepeats);
        if (element.ValueKind != JsonValueKind.Object)
            return false;
        var keys = new HashSet<string>(StringComparer.Ordinal);
        return element.EnumerateObject().Any(member => !keys.Add(member.Name) || HasRepeats(member.Value));
    }

    static void Write(JsonElement element, Utf8JsonWriter json)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    Write(item, json);
                json.WriteEndArray();
                break;
            case JsonValueKind.Object:
                var last = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var member in element.EnumerateObject())
                    last[member.Name] = member.Value;
                json.WriteStartObject();
                foreach (var (key, value) in last)
                {
                    json.WritePropertyName(key);
                    Write(value, json);
                }
                json.WriteEndObject();
                break;
            default:
                json.WriteRawValue(element.GetRawText());
                break;
        }
    }
}
