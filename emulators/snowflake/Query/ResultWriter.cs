using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Spectre.Console;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Writes the result of a query as a table for a person, or as one line of JSON.</summary>
static class ResultWriter
{
    // A cell is cut at this many characters; JSON has all of them.
    const int LongestCell = 60;

    /// <summary>Draws a table.</summary>
    public static void Draw(QueryResult result, TextWriter output)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(output),
            }
        );
        // Lines are as long as their cells. The terminal wraps or scrolls them.
        console.Profile.Width = 10_000;
        var table = new Spectre.Console.Table { Border = TableBorder.Rounded };
        for (var i = 0; i < result.Columns.Count; i++)
        {
            var column = new TableColumn(new Text(result.Columns[i])) { NoWrap = true };
            table.AddColumn(result.Rows.Any(row => IsNumber(row[i])) ? column.RightAligned() : column);
        }
        foreach (var row in result.Rows)
            table.AddRow(row.Select(value => new Text(Cell(value))));
        console.Write(table);
        var plural = result.Rows.Count == 1 ? "row" : "rows";
        output.WriteLine(result.Truncated ? $"the first {result.Rows.Count} rows; there are more" : $"{result.Rows.Count} {plural}");
    }

    static string Cell(object? value)
    {
        var text = (value is null ? "NULL" : TextOf(value)).ReplaceLineEndings(" ");
        return text.Length > LongestCell ? text[..(LongestCell - 1)] + "…" : text;
    }

    /// <summary>Writes one line of JSON: line, columns, rows as objects, and whether there are more rows.</summary>
    public static void WriteJson(QueryResult result, TextWriter output)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("line", result.Line);
            json.WriteStartArray("columns");
            foreach (var column in result.Columns)
                json.WriteStringValue(column);
            json.WriteEndArray();
            json.WriteStartArray("rows");
            foreach (var row in result.Rows)
            {
                json.WriteStartObject();
                for (var i = 0; i < row.Length; i++)
                {
                    json.WritePropertyName(result.Columns[i]);
                    Write(json, row[i]);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteBoolean("truncated", result.Truncated);
            json.WriteEndObject();
        }
        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case double number when !double.IsFinite(number):
                json.WriteStringValue(TextOf(value));
                break;
            default:
                if (IsNumber(value))
                    json.WriteRawValue(TextOf(value), skipInputValidation: true);
                else
                    json.WriteStringValue(TextOf(value));
                break;
        }
    }

    static bool IsNumber(object? value) =>
        value is sbyte or byte or short or ushort or int or uint or long or ulong or BigInteger or decimal or double or float;

    static string TextOf(object value) =>
        value switch
        {
            DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture),
            bool flag => flag ? "TRUE" : "FALSE",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
}
