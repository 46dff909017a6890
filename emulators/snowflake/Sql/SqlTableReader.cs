using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads CREATE TABLE and ALTER TABLE into a catalog.</summary>
sealed class SqlTableReader(Catalog catalog, SqlCursor sql)
{
    /// <summary>Reads CREATE TABLE after the word TABLE.</summary>
    public void Create(bool replace)
    {
        var ifNotExists = sql.IfNotExists();
        var line = sql.Current.Line;
        var (inDatabase, inSchema, name) = sql.QualifiedName();
        var table = new Table(inDatabase, inSchema, name);
        sql.List(() =>
        {
            if (sql.Current.Text is "CONSTRAINT" or "PRIMARY" or "UNIQUE" or "FOREIGN" && sql.Current.Kind == SqlTokenKind.Word)
                ReadTableConstraint(table);
            else
                AddColumn(table);
        });
        ReadTableOptions(table);
        sql.End();

        var existing = catalog.FindTable(inDatabase, inSchema, name);
        if (existing is not null && ifNotExists)
            return;
        if (existing is not null && !replace)
            throw sql.Problem(line, $"table {table.FullName} is created twice; write CREATE TABLE IF NOT EXISTS");
        if (existing is not null)
        {
            catalog.Tables.Remove(existing);
            catalog.Pipes.RemoveAll(p => p.Table == existing);
            catalog.LoadPipes.RemoveAll(p => p.Table == existing);
        }
        catalog.Tables.Add(table);
    }

    void ReadTableConstraint(Table table)
    {
        if (sql.TryWord("CONSTRAINT"))
            sql.Name();
        var primary = sql.TryWord("PRIMARY");
        if (primary)
            sql.Word("KEY");
        else
            sql.Word("UNIQUE");
        sql.List(() =>
        {
            var column = sql.ColumnOf(table);
            if (primary)
                table.Columns[column] = table.Columns[column] with { NotNull = true };
        });
    }

    void AddColumn(Table table)
    {
        var line = sql.Current.Line;
        var column = ReadColumn();
        if (table.IndexOf(column.Name) >= 0)
            throw sql.Problem(line, $"column {column.Name} is declared twice in {table.FullName}");
        table.Columns.Add(column);
    }

    Column ReadColumn()
    {
        var name = sql.Name();
        var type = SqlTypeReader.Read(sql);
        var notNull = false;
        byte[]? defaultJson = null;
        while (true)
        {
            if (sql.TryWord("NOT"))
            {
                sql.Word("NULL");
                notNull = true;
            }
            else if (sql.TryWord("PRIMARY"))
            {
                sql.Word("KEY");
                notNull = true;
            }
            else if (sql.TryWord("DEFAULT"))
            {
                defaultJson = ReadDefault(type);
            }
            else if (sql.TryWord("COMMENT"))
            {
                sql.Text();
            }
            else if (!sql.TryWord("NULL") && !sql.TryWord("UNIQUE"))
            {
                return new Column(name, type, notNull, defaultJson);
            }
        }
    }

    byte[]? ReadDefault(SqlType type)
    {
        var token = sql.Current;
        string json;
        if (sql.TryWord("NULL"))
            return null;
        if (token.Kind == SqlTokenKind.Number || token.Text is "TRUE" or "FALSE" && token.Kind == SqlTokenKind.Word)
            json = sql.Next().Text.ToLowerInvariant();
        else if (sql.TrySymbol("-"))
            json = "-" + sql.Next().Text;
        else if (token.Kind == SqlTokenKind.Text)
            json = $"\"{JsonEncodedText.Encode(sql.Next().Text)}\"";
        else
            throw sql.Problem(
                token.Line,
                $"DEFAULT {token.Text} is not understood; a number, a string, TRUE, FALSE and NULL are. "
                    + "(Snowflake evaluates a default of CURRENT_TIMESTAMP once, when it compiles the COPY, so it would not be the row's "
                    + "time there either.)"
            );

        // The column's own conversion decides whether its default is a valid value.
        var utf8 = Encoding.UTF8.GetBytes(json);
        var reader = new Utf8JsonReader(utf8);
        reader.Read();
        var cell = new JsonCell(reader.TokenType, reader.ValueSpan, reader.ValueIsEscaped);
        return CellConverter.TryConvert(in cell, type, null, out var error)
            ? utf8
            : throw sql.Problem(token.Line, $"DEFAULT {token.Text} is not a {type}: {error}");
    }

    void ReadTableOptions(Table table)
    {
        while (!sql.AtEnd)
        {
            if (sql.TryWord("CLUSTER"))
            {
                sql.Word("BY");
                sql.SkipParentheses();
            }
            else if (sql.TryWord("ERROR_LOGGING"))
            {
                sql.Symbol("=");
                table.ErrorLogging = sql.Boolean();
            }
            else if (sql.Current.Text == "ENABLE_SCHEMA_EVOLUTION")
            {
                var line = sql.Next().Line;
                sql.Symbol("=");
                if (sql.Boolean())
                    throw sql.Problem(line, "ENABLE_SCHEMA_EVOLUTION = TRUE is not emulated; declare the columns");
            }
            else if (!sql.TryOption("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "CHANGE_TRACKING"))
            {
                throw sql.Unexpected("a table option (CLUSTER BY, COMMENT, ERROR_LOGGING, CHANGE_TRACKING, DATA_RETENTION_TIME_IN_DAYS)");
            }
            sql.TrySymbol(",");
        }
    }

    /// <summary>Reads ALTER TABLE after the word TABLE.</summary>
    public void Alter()
    {
        var ifExists = sql.TryWord("IF");
        if (ifExists)
            sql.Word("EXISTS");
        var line = sql.Current.Line;
        var (inDatabase, inSchema, name) = sql.QualifiedName();
        if (catalog.FindTable(inDatabase, inSchema, name) is not { } table)
        {
            if (ifExists)
                return;
            throw sql.Problem(line, $"table {inDatabase}.{inSchema}.{name} does not exist");
        }
        if (sql.TryWord("SET"))
        {
            ReadTableOptions(table);
        }
        else if (sql.TryWord("ADD"))
        {
            do
            {
                sql.TryWord("COLUMN");
                var mayExist = sql.IfNotExists();
                line = sql.Current.Line;
                var column = ReadColumn();
                if (table.IndexOf(column.Name) < 0)
                    table.Columns.Add(column);
                else if (!mayExist)
                    throw sql.Problem(line, $"column {column.Name} exists already in {table.FullName}; write ADD COLUMN IF NOT EXISTS");
            } while (sql.TrySymbol(","));
        }
        else if (sql.TryWord("CLUSTER"))
        {
            sql.Word("BY");
            sql.SkipParentheses();
        }
        else
        {
            throw sql.Unexpected("ADD COLUMN, SET or CLUSTER BY");
        }
        sql.End();
    }
}
