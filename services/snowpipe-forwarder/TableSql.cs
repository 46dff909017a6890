using System.Globalization;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Reads from SQL what the columns of a table can hold: CREATE TABLE, and ALTER TABLE that adds columns, changes their type or drops them.
/// Skips everything else in the file.
/// </summary>
sealed class TableSql
{
    const int MaxPrecision = 38,
        MaxLength = 134_217_728,
        DefaultLength = 16_777_216;

    readonly List<SqlToken> tokens;
    readonly Dictionary<string, Dictionary<string, ColumnLimit>> tables = new(StringComparer.Ordinal);
    int at;

    TableSql(List<SqlToken> tokens) => this.tokens = tokens;

    /// <summary>The columns of a table.</summary>
    /// <param name="sql">The file.</param>
    /// <param name="table">Its name; null if the file defines only one table.</param>
    /// <exception cref="FormatException">The file does not say. The message has line, column and reason.</exception>
    public static IReadOnlyCollection<ColumnLimit> Read(string sql, string? table)
    {
        var reader = new TableSql(SqlToken.Split(sql));
        reader.ReadStatements();
        if (table is not null && reader.tables.TryGetValue(table, out var named))
            return named.Values;
        return reader.tables.Count switch
        {
            1 => reader.tables.Values.First().Values,
            0 => throw new FormatException("it has no CREATE TABLE with columns"),
            _ => throw new FormatException(
                $"it creates {reader.tables.Count} tables ({string.Join(", ", reader.tables.Keys)}); leave only the one that the pipe fills"
            ),
        };
    }

    void ReadStatements()
    {
        while (at < tokens.Count)
        {
            if (TrySkip("CREATE"))
                ReadCreate();
            else if (TrySkip("ALTER") && TrySkip("TABLE"))
                ReadAlter();
            while (at < tokens.Count && tokens[at++].Text != ";")
            {
                // Skips the rest of the statement.
            }
        }
    }

    void ReadCreate()
    {
        // OR REPLACE, TRANSIENT and the like.
        while (at < tokens.Count && tokens[at].IsWord && !Is("TABLE"))
            at++;
        if (!TrySkip("TABLE"))
            return;
        SkipIfExists();
        var name = ReadName();
        if (!TrySkip("("))
            return;
        var columns = tables[name] = new(StringComparer.Ordinal);
        do ReadColumn(columns);
        while (TrySkip(","));
        if (!TrySkip(")"))
            throw Fail(tokens[Math.Min(at, tokens.Count - 1)], "", "the list of columns does not end");
    }

    void ReadAlter()
    {
        SkipIfExists();
        if (!tables.TryGetValue(ReadName(), out var columns))
            return;
        if (TrySkip("ADD"))
        {
            do
            {
                TrySkip("COLUMN");
                SkipIfExists();
                ReadColumn(columns);
            } while (TrySkip(","));
        }
        else if (TrySkip("DROP"))
        {
            do
            {
                TrySkip("COLUMN");
                SkipIfExists();
                columns.Remove(ReadName());
            } while (TrySkip(","));
        }
        else if (TrySkip("ALTER") || TrySkip("MODIFY"))
        {
            TrySkip("COLUMN");
            var name = ReadName();
            TrySkip("SET");
            TrySkip("DATA");
            if (TrySkip("TYPE"))
                columns[name] = ReadType(name);
        }
    }

    void ReadColumn(Dictionary<string, ColumnLimit> columns)
    {
        if (Is("CONSTRAINT") || Is("PRIMARY") || Is("FOREIGN") || Is("UNIQUE"))
        {
            SkipColumn();
            return;
        }
        var name = ReadName();
        var column = ReadType(name);
        var start = at;
        SkipColumn();
        var rest = tokens[start..at];
        var isRequired =
            rest.Zip(rest.Skip(1)).Any(pair => pair.First.Is("NOT") && pair.Second.Is("NULL"))
            && !rest.Exists(token => token.Is("DEFAULT") || token.Is("AUTOINCREMENT") || token.Is("IDENTITY") || token.Is("AS"));
        columns[name] = column with { IsRequired = isRequired };
    }

    ColumnLimit ReadType(string column)
    {
        if (at == tokens.Count || !tokens[at].IsWord)
            throw Fail(tokens[Math.Min(at, tokens.Count - 1)], column, "a type is expected");
        var first = tokens[at++];
        var type = first.Text.ToUpperInvariant();
        while (TrySkip("VARYING") || TrySkip("PRECISION"))
            type += type.StartsWith("DOUBLE", StringComparison.Ordinal) ? "" : " VARYING";
        var numbers = new List<int>();
        if (TrySkip("("))
        {
            do
            {
                if (at == tokens.Count || !int.TryParse(tokens[at].Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    // VECTOR(FLOAT, 3) and the like, which this program does not check.
                    if (Family(type) is ColumnType.Number or ColumnType.Text)
                        throw Fail(first, column, $"the brackets of {type} do not hold a number");
                    number = 0;
                }
                numbers.Add(number);
                at++;
            } while (TrySkip(","));
            if (!TrySkip(")"))
                throw Fail(first, column, $"the brackets of {type} are not closed");
        }
        var declaration = numbers.Count == 0 ? type : $"{type}({string.Join(", ", numbers)})";
        if (Family(type) is not { } family)
            throw Fail(first, column, $"Snowflake has no type {type}");
        return family switch
        {
            ColumnType.Number => Number(),
            ColumnType.Text => Text(),
            _ => new(column, declaration, family),
        };

        ColumnLimit Number()
        {
            var isInteger = type.EndsWith("INT", StringComparison.Ordinal) || type == "INTEGER";
            var precision = isInteger || numbers.Count == 0 ? MaxPrecision : numbers[0];
            var scale = isInteger || numbers.Count < 2 ? 0 : numbers[1];
            if (precision is < 1 or > MaxPrecision || scale > precision || numbers.Count > 2)
                throw Fail(first, column, $"{declaration} is not possible: precision is 1 to {MaxPrecision}, scale 0 to the precision");
            return new(column, declaration, family, precision - scale, scale);
        }

        ColumnLimit Text()
        {
            var length =
                numbers.Count > 0 ? numbers[0]
                : type is "CHAR" or "CHARACTER" or "NCHAR" ? 1
                : DefaultLength;
            if (length is < 1 or > MaxLength || numbers.Count > 1)
                throw Fail(first, column, $"{declaration} is not possible: the length is 1 to {MaxLength}");
            return new(column, declaration, family, length);
        }
    }

    static ColumnType? Family(string type) =>
        type switch
        {
            "NUMBER" or "DECIMAL" or "DEC" or "NUMERIC" or "INT" or "INTEGER" or "BIGINT" or "SMALLINT" or "TINYINT" or "BYTEINT" =>
                ColumnType.Number,
            "FLOAT" or "FLOAT4" or "FLOAT8" or "DOUBLE" or "REAL" => ColumnType.Real,
            "VARCHAR"
            or "CHAR"
            or "CHARACTER"
            or "NCHAR"
            or "STRING"
            or "TEXT"
            or "NVARCHAR"
            or "NVARCHAR2"
            or "CHAR VARYING"
            or "CHARACTER VARYING"
            or "NCHAR VARYING" => ColumnType.Text,
            "BOOLEAN" => ColumnType.Boolean,
            "DATE" or "DATETIME" => ColumnType.Timestamp,
            "TIME" => ColumnType.Time,
            "OBJECT" or "MAP" => ColumnType.Map,
            "ARRAY" => ColumnType.List,
            "VARIANT" or "BINARY" or "VARBINARY" or "GEOGRAPHY" or "GEOMETRY" or "VECTOR" or "UUID" or "DECFLOAT" or "FILE" =>
                ColumnType.Any,
            _ => type.StartsWith("TIMESTAMP", StringComparison.Ordinal)
            && type[9..] is "" or "_NTZ" or "_LTZ" or "_TZ" or "NTZ" or "LTZ" or "TZ"
                ? ColumnType.Timestamp
                : null,
        };

    /// <summary>Skips to the comma or bracket after a column.</summary>
    void SkipColumn()
    {
        var depth = 0;
        for (; at < tokens.Count && tokens[at].Text != ";"; at++)
        {
            if (depth == 0 && (Is(",") || Is(")")))
                return;
            depth +=
                Is("(") ? 1
                : Is(")") ? -1
                : 0;
        }
    }

    void SkipIfExists()
    {
        if (!TrySkip("IF"))
            return;
        TrySkip("NOT");
        TrySkip("EXISTS");
    }

    /// <summary>The last part of a name, as Snowflake stores it.</summary>
    string ReadName()
    {
        var name = "";
        do
        {
            if (at == tokens.Count || !(tokens[at].IsWord || tokens[at].IsQuoted))
                throw Fail(tokens[Math.Min(at, tokens.Count - 1)], "", "a name is expected");
            name = tokens[at].IsQuoted ? tokens[at].Text : tokens[at].Text.ToUpperInvariant();
            at++;
        } while (TrySkip("."));
        return name;
    }

    bool Is(string text) => at < tokens.Count && tokens[at].Is(text);

    bool TrySkip(string text)
    {
        if (!Is(text))
            return false;
        at++;
        return true;
    }

    static FormatException Fail(SqlToken where, string column, string why) =>
        new($"line {where.Line}{(column.Length > 0 ? $", column {column}" : "")}: {why}");
}
