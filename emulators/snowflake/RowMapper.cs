using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A row that was accepted no longer fits its table: the SQL has changed since.</summary>
sealed class RowDoesNotFitException(string message) : Exception(message);

/// <summary>
/// Turns a row of JSON into the columns of a table, as one pipe does. Holds buffers that are reused from row to row, so it is not
/// safe for concurrent use; make one for each request.
/// </summary>
sealed class RowMapper
{
    // What fills a column, and where its value lies in the row being mapped.
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

    /// <summary>How rows are read: JSON knows no limit to its depth.</summary>
    public static readonly JsonReaderOptions Json = new() { MaxDepth = 10_000 };

    readonly record struct Target(Source Source, bool Exact);

    readonly Column[] columns;

    // In the order in which they are checked.
    readonly Source[] sources;

    // The source of each column; one without gets its default, or NULL.
    readonly Source?[] sourceOf;
    readonly Column? unfillable;
    readonly Dictionary<Utf8Key, Target[]> targets = new(Utf8KeyComparer.Instance);
    readonly Dictionary<Utf8Key, Target[]>.AlternateLookup<ReadOnlySpan<byte>> lookup;
    readonly bool byName;
    readonly bool ignoreCase;

    // Rows of one producer have their keys in one order: the targets found for key i of the last row, tried first.
    readonly List<(byte[] Key, Target[] Targets)> lastOrder = [];

    public RowMapper(Pipe pipe)
    {
        columns = [.. pipe.Table.Columns];
        sourceOf = new Source?[columns.Length];
        // Without a SELECT, keys name columns. A key spelt like the column wins over one that differs in case; one that differs in
        // case fills every column it matches.
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
                AddTarget(Encoding.UTF8.GetBytes(key), new Target(sources[i], true));
        }
        unfillable = columns.Where((column, i) => sourceOf[i] is null && column.NotNull && column.DefaultJson is null).FirstOrDefault();
        lookup = targets.GetAlternateLookup<ReadOnlySpan<byte>>();
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
            // How the reader says that an escape such as \ud83d stands alone: JSON by its grammar, but no text.
            error = "Error parsing JSON: half of a surrogate pair";
            return false;
        }
    }

    /// <summary>Writes a row as a JSON object of the table's columns. The row must have been accepted by <see cref="TryCheck"/>.</summary>
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
            // Only a key that is absent takes the default, and only where keys name columns; a SELECT yields NULL.
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

    /// <summary>Finds in the row the value of every column. Also where the row is checked to be one JSON object.</summary>
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

        var key = reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;
        if (!lookup.TryGetValue(key, out var found))
            found = ignoreCase ? MatchIgnoringCase(key) : [];

        if (position == lastOrder.Count && position < 1024)
            lastOrder.Add((key.ToArray(), found));
        else if (position < lastOrder.Count)
            lastOrder[position] = (key.ToArray(), found);
        return found;
    }

    Target[] MatchIgnoringCase(ReadOnlySpan<byte> key)
    {
        var name = Encoding.UTF8.GetString(key);
        return [.. sources.Where(s => s.Column.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(s => new Target(s, false))];
    }

    void AddTarget(byte[] key, Target target)
    {
        var boxed = new Utf8Key(key);
        targets[boxed] = targets.TryGetValue(boxed, out var before) ? [.. before, target] : [target];
    }

    readonly record struct Utf8Key(byte[] Bytes);

    sealed class Utf8KeyComparer : IEqualityComparer<Utf8Key>, IAlternateEqualityComparer<ReadOnlySpan<byte>, Utf8Key>
    {
        public static readonly Utf8KeyComparer Instance = new();

        public bool Equals(Utf8Key x, Utf8Key y) => x.Bytes.AsSpan().SequenceEqual(y.Bytes);

        public int GetHashCode(Utf8Key obj) => GetHashCode(obj.Bytes);

        public bool Equals(ReadOnlySpan<byte> alternate, Utf8Key other) => alternate.SequenceEqual(other.Bytes);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public Utf8Key Create(ReadOnlySpan<byte> alternate) => new(alternate.ToArray());
    }
}
