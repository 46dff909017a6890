using System.Globalization;
using System.Numerics;
using System.Text.Json;
using DuckDB.NET.Data;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Appends rows, as <see cref="RowMapper"/> writes them, to the copy of their table in DuckDB. Not safe for concurrent use.
/// </summary>
sealed class RowAppender(DuckDBConnection duck, Table table) : IDisposable
{
    readonly DuckDBAppender appender = duck.CreateAppender(table.Database, table.Schema, table.Name);
    readonly string[] types = [.. table.Columns.Select(column => TypeOf(column.Type))];

    /// <summary>The type of a column in DuckDB.</summary>
    public static string TypeOf(SqlType type) =>
        type.Kind switch
        {
            // Whole numbers of up to 38 digits fit HUGEINT, which leaves room for sums; DECIMAL(38, 0) does not.
            SqlKind.Number when type.Scale == 0 => type.Length <= 18 ? "BIGINT" : "HUGEINT",
            // A decimal in .NET has at most 28 digits.
            SqlKind.Number when type.Length + type.Scale > 28 => "DOUBLE",
            SqlKind.Number => string.Create(CultureInfo.InvariantCulture, $"DECIMAL({type.Length + type.Scale}, {type.Scale})"),
            SqlKind.Float => "DOUBLE",
            SqlKind.Varchar => "VARCHAR",
            SqlKind.Boolean => "BOOLEAN",
            SqlKind.Date => "DATE",
            SqlKind.Time => "TIME",
            SqlKind.TimestampNtz => "TIMESTAMP",
            SqlKind.TimestampLtz or SqlKind.TimestampTz => "TIMESTAMPTZ",
            _ => "JSON",
        };

    /// <summary>Appends a row: a JSON object with every column in the order of the table.</summary>
    public void Append(ReadOnlySpan<byte> json)
    {
        var row = appender.CreateRow();
        var reader = new Utf8JsonReader(json, RowMapper.Json);
        reader.Read();
        foreach (var type in types)
        {
            reader.Read();
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (reader.TokenType == JsonTokenType.Null)
                row.AppendNullValue();
            else if (type == "JSON")
                row.AppendValue(Raw(json, ref reader, start));
            else
                Append(row, type, reader.TokenType == JsonTokenType.String ? reader.GetString()! : Raw(json, ref reader, start));
        }
        row.EndRow();
    }

    static string Raw(ReadOnlySpan<byte> json, ref Utf8JsonReader reader, int start)
    {
        reader.Skip();
        return System.Text.Encoding.UTF8.GetString(json[start..(int)reader.BytesConsumed]);
    }

    static void Append(IDuckDBAppenderRow row, string type, string text)
    {
        var invariant = CultureInfo.InvariantCulture;
        switch (type)
        {
            case "VARCHAR":
                row.AppendValue(text);
                break;
            case "BIGINT":
                row.AppendValue(long.Parse(text, invariant));
                break;
            case "HUGEINT":
                row.AppendValue(BigInteger.Parse(text, invariant));
                break;
            case "DOUBLE":
                row.AppendValue(double.Parse(text, invariant));
                break;
            case "BOOLEAN":
                row.AppendValue(bool.Parse(text));
                break;
            case "DATE":
                row.AppendValue(DateOnly.Parse(text, invariant));
                break;
            case "TIME":
                row.AppendValue(TimeOnly.Parse(text, invariant));
                break;
            case "TIMESTAMP":
                row.AppendValue(DateTime.Parse(text, invariant));
                break;
            case "TIMESTAMPTZ":
                row.AppendValue(DateTimeOffset.Parse(text, invariant, DateTimeStyles.AssumeUniversal));
                break;
            default:
                row.AppendValue(decimal.Parse(text, NumberStyles.Float, invariant));
                break;
        }
    }

    /// <summary>Hands over what has been appended.</summary>
    public void Dispose() => appender.Dispose();
}
