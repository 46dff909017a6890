using System.Text.Json;
using System.Text.Unicode;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Turns a row of JSON into the columns of a table, as one pipe does. Not safe for concurrent use, because its buffers are reused from
/// row to row.
/// </summary>
sealed class RowMapper
{
    // The source of a column, and the position of its value in the current row.
    sealed class Source(Column column, SqlType type, bool wholeRow)
    {
        public readonly Column Column = column;
        public readonly SqlType Type = type;
        public readonly bool WholeRow = wholeRow;

        public JsonTokenType Token;
        public bool Escaped;
        public bool Exact;
        public int Start;
        public int Length;
    }

    /// <summary>How rows are read. JSON itself has no depth limit.</summary>
    public static readonly JsonReaderOptions Json = new() { MaxDepth = 10_000 };

    readonly record struct Target(Source Source, bool Exact);

    readonly Column[] columns;

    // In the order in which they are checked.
    readonly Source[] sources;

    // The source of each column; null: the column gets its default, or NULL.
    readonly Source?[] sourceOf;
    readonly Column? unfillable;
    readonly Dictionary<string, Target[]> targets = new(StringComparer.Ordinal);
    readonly Dictionary<string, Target[]>.AlternateLookup<ReadOnlySpan<char>> lookup;
    readonly bool byName;
    readonly bool ignoreCase;

    // Most senders write the same keys in the same order, so the targets of key i of the last row are tried first.
    readonly List<(byte[] Key, Target[] Targets)> lastOrder = [];
    char[] keyBuffer = new char[64];

    public RowMapper(Pipe pipe)
    {
        columns = [.. pipe.Table.Columns];
        sourceOf = new Source?[columns.Length];
        // Without a SELECT, keys name columns. A key in the column's exact case wins over one in another case, which fills every column
        // that it matches.
        byName = pipe.Sources is null;
        ignoreCase = byName && pipe.IgnoreCase;
        var selected = pipe.Sources ?? [.. columns.Select((column, i) => new ColumnSource(i, column.Name, column.Type))];
        sources = new Source[selected.Count];
        for (var i = 0; i < sources.Length; i++)
        {
            var (column, key, type) = selected[i];
            sources[i] = new Source(columns[column], type, wholeRow: key is null);
            sourceOf[column] ??= sources[i];
            if (key is not null)
                targets[key] = [.. targets.GetValueOrDefault(key, []), new Target(sources[i], true)];
        }
        unfillable = columns.Where((column, i) => sourceOf[i] is null && column.NotNull && column.DefaultJson is null).FirstOrDefault();
        lookup = targets.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Checks a row without storing it.</summary>
    /// <param name="row">One line, without its line end.</param>
    /// <param name="error">Why the row is rejected, without its values.</param>
    public bool TryCheck(ReadOnlySpan<byte> row, out string? error)
    {
        try
        {
            return TryMap(row, null, out error);
        }
        catch (InvalidOperationException)
        {
            // The reader throws this for a lone escape such as \ud83d: valid JSON, but not a text.
            error = "Error parsing JSON: half of a surrogate pair";
            return false;
        }
    }

    /// <summary>Writes a row as a JSON object of the table's columns. <see cref="TryCheck"/> must have accepted the row.</summary>
    public void Write(ReadOnlySpan<byte> row, Utf8JsonWriter output)
    {
        if (!TryMap(row, output, out var error))
            throw new RowDoesNotFitException($"A stored row does not fit the table as it is declared now: {error}");
    }

    bool TryMap(ReadOnlySpan<byte> row, Utf8JsonWriter? output, out string? error)
    {
        if (!TryLocate(row, out error))
            return false;

        if (output is null)
        {
            foreach (var source in sources)
            {
                if (!TryColumn(row, source, null, out error))
                    return false;
            }
            return unfillable is null || Fail(unfillable, "NULL result in a non-nullable column", out error);
        }
        output.WriteStartObject();
        for (var c = 0; c < columns.Length; c++)
        {
            output.WritePropertyName(columns[c].Utf8Name);
            if (sourceOf[c] is not { } source)
                WriteDefault(columns[c], output);
            else if (!TryColumn(row, source, output, out error))
                return false;
        }
        output.WriteEndObject();
        return true;
    }

    bool TryColumn(ReadOnlySpan<byte> row, Source source, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        var column = source.Column;
        if (source.WholeRow)
        {
            output?.WriteRawValue(row, skipInputValidation: true);
            return true;
        }
        if (source.Token is JsonTokenType.None or JsonTokenType.Null)
        {
            // Only an absent key takes the default, and only if keys name columns; a SELECT yields NULL.
            if (byName && source.Token == JsonTokenType.None && column.DefaultJson is not null)
            {
                if (output is not null)
                    WriteDefault(column, output);
                return true;
            }
            if (column.NotNull)
                return Fail(column, "NULL result in a non-nullable column", out error);
            output?.WriteNullValue();
            return true;
        }
        var cell = new JsonCell(source.Token, row.Slice(source.Start, source.Length), source.Escaped);
        return CellConverter.TryConvert(in cell, source.Type, output, out error) || Fail(column, error!, out error);
    }

    static bool Fail(Column column, string problem, out string? error)
    {
        error = $"{problem}, column {column.Name}";
        return false;
    }

    static void WriteDefault(Column column, Utf8JsonWriter output)
    {
        if (column.DefaultJson is { } json)
            output.WriteRawValue(json, skipInputValidation: true);
        else
            output.WriteNullValue();
    }

    /// <summary>Finds in the row the value of every column. Also checks that the row is one JSON object.</summary>
    bool TryLocate(ReadOnlySpan<byte> row, out string? error)
    {
        foreach (var source in sources)
            source.Token = JsonTokenType.None;
        error = null;
        if (!Utf8.IsValid(row))
        {
            error = "Error parsing JSON: invalid UTF-8";
            return false;
        }
        try
        {
            var reader = new Utf8JsonReader(row, Json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                error = "Error parsing JSON: a row must be a JSON object";
                return false;
            }
            for (var position = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; position++)
            {
                var found = Targets(ref reader, position);
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                var type = reader.TokenType;
                int length;
                if (type == JsonTokenType.String)
                {
                    start++;
                    length = reader.ValueSpan.Length;
                }
                else
                {
                    if (type is JsonTokenType.StartObject or JsonTokenType.StartArray)
                        reader.Skip();
                    length = (int)reader.BytesConsumed - start;
                }
                foreach (var (source, exact) in found)
                {
                    if (source.Token != JsonTokenType.None)
                    {
                        if (source.Exact == exact)
                        {
                            error = "Error parsing JSON: duplicate object attribute";
                            return false;
                        }
                        if (source.Exact)
                            continue;
                    }
                    source.Token = type;
                    source.Escaped = type == JsonTokenType.String && reader.ValueIsEscaped;
                    source.Exact = exact;
                    source.Start = start;
                    source.Length = length;
                }
            }
            if (reader.Read())
            {
                error = "Error parsing JSON: more than one value in a line";
                return false;
            }
            return true;
        }
        catch (JsonException)
        {
            error = "Error parsing JSON";
            return false;
        }
    }

    Target[] Targets(ref Utf8JsonReader reader, int position)
    {
        if (!reader.ValueIsEscaped && position < lastOrder.Count && reader.ValueSpan.SequenceEqual(lastOrder[position].Key))
            return lastOrder[position].Targets;

        if (keyBuffer.Length < reader.ValueSpan.Length)
            keyBuffer = new char[reader.ValueSpan.Length];
        var key = keyBuffer.AsSpan(0, reader.CopyString(keyBuffer));
        if (!lookup.TryGetValue(key, out var found))
            found = ignoreCase ? MatchIgnoringCase(key.ToString()) : [];

        if (position == lastOrder.Count && position < 1024)
            lastOrder.Add((reader.ValueSpan.ToArray(), found));
        else if (position < lastOrder.Count)
            lastOrder[position] = (reader.ValueSpan.ToArray(), found);
        return found;
    }

    Target[] MatchIgnoringCase(string key) =>
        [.. sources.Where(s => s.Column.Name.Equals(key, StringComparison.OrdinalIgnoreCase)).Select(s => new Target(s, false))];
}
