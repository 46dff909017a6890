using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Turns the records of a file into rows, as the SELECT of a pipe says. A row is a JSON object on one line, with the columns' names as
/// keys, as the table's default pipe accepts it. Not safe for concurrent use.
/// </summary>
sealed class LoadMapper : IDisposable
{
    static readonly JsonDocumentOptions options = new() { MaxDepth = 1000, AllowDuplicateProperties = false };

    readonly LoadPipe pipe;
    readonly ObjectInfo file;
    readonly RowMapper check;
    readonly ArrayBufferWriter<byte> row = new(4096);
    readonly Utf8JsonWriter json;

    /// <param name="pipe">The pipe.</param>
    /// <param name="defaultPipe">The default pipe of its table.</param>
    /// <param name="file">The file.</param>
    public LoadMapper(LoadPipe pipe, Pipe defaultPipe, ObjectInfo file)
    {
        this.pipe = pipe;
        this.file = file;
        check = new RowMapper(defaultPipe);
        json = new Utf8JsonWriter(row, new JsonWriterOptions { SkipValidation = true });
    }

    /// <summary>The row of the last record; valid until the next call.</summary>
    public ReadOnlySpan<byte> Row => row.WrittenSpan;

    /// <summary>Makes the row of a record.</summary>
    /// <param name="record">The record: one JSON value.</param>
    /// <param name="number">Its number in the file, from 1.</param>
    /// <returns>Why it cannot be loaded; null if it can.</returns>
    public string? TryMap(ReadOnlyMemory<byte> record, long number)
    {
        row.ResetWrittenCount();
        json.Reset();
        try
        {
            using var parsed = JsonDocument.Parse(record, options);
            if (Write(record.Span, parsed.RootElement, number) is { } problem)
                return problem;
        }
        catch (JsonException)
        {
            // The reader of the file has already accepted it as JSON.
            return "Error parsing JSON: duplicate object attribute";
        }
        catch (InvalidOperationException)
        {
            return "Error parsing JSON: half of a surrogate pair";
        }
        ToOneLine(row);
        return check.TryCheck(row.WrittenSpan, out var error) ? null : error;
    }

    string? Write(ReadOnlySpan<byte> record, JsonElement root, long number)
    {
        json.WriteStartObject();
        foreach (var source in pipe.Sources)
        {
            var column = pipe.Table.Columns[source.Column];
            json.WritePropertyName(column.Utf8Name);
            var value = ValueOf(source, record, root, number);
            var token = TokenOf(value);
            var text = token == JsonTokenType.String ? value[1..^1] : value;
            var cell = new JsonCell(token, text, token == JsonTokenType.String && text.Contains((byte)'\\'));
            if (!CellConverter.TryConvert(in cell, source.Type, json, out var error))
                return $"{error}, column {column.Name}";
        }
        json.WriteEndObject();
        json.Flush();
        return null;
    }

    ReadOnlySpan<byte> ValueOf(LoadSource source, ReadOnlySpan<byte> record, JsonElement root, long number) =>
        source.Field switch
        {
            LoadField.FileName => Quoted(file.Key),
            LoadField.RowNumber => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)),
            LoadField.ContentKey => Quoted(file.ContentKey),
            LoadField.LastModified => Quoted(Time(file.LastModified)),
            LoadField.StartScanTime => Quoted(Time(file.ScannedAt)),
            _ when source.Key is not { } key => record,
            _ when root.ValueKind == JsonValueKind.Object && root.TryGetProperty(source.Key, out var value) => JsonMarshal.GetRawUtf8Value(
                value
            ),
            _ => "null"u8,
        };

    static byte[] Quoted(string text) => Encoding.UTF8.GetBytes(JsonValue.Create(text).ToJsonString());

    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture) + "Z";

    static JsonTokenType TokenOf(ReadOnlySpan<byte> value) =>
        value[0] switch
        {
            (byte)'{' => JsonTokenType.StartObject,
            (byte)'[' => JsonTokenType.StartArray,
            (byte)'"' => JsonTokenType.String,
            (byte)'t' => JsonTokenType.True,
            (byte)'f' => JsonTokenType.False,
            (byte)'n' => JsonTokenType.Null,
            _ => JsonTokenType.Number,
        };

    /// <summary>A line end in JSON is a blank between two tokens: within a string it is escaped.</summary>
    static void ToOneLine(ArrayBufferWriter<byte> row)
    {
        var bytes = MemoryMarshal.AsMemory(row.WrittenMemory).Span;
        bytes.ReplaceAny(System.Buffers.SearchValues.Create("\r\n"u8), (byte)' ');
    }

    public void Dispose() => json.Dispose();
}
