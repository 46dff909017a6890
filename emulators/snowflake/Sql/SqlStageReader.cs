namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads CREATE STAGE, CREATE FILE FORMAT and the option FILE_FORMAT into a catalog.</summary>
sealed class SqlStageReader(Catalog catalog, SqlCursor sql)
{
    /// <summary>Reads CREATE STAGE after the word STAGE. A stage without URL is internal to Snowflake and is skipped.</summary>
    public void CreateStage(bool replace)
    {
        var ifNotExists = sql.IfNotExists();
        var line = sql.Current.Line;
        var (database, schema, name) = sql.QualifiedName();
        string? url = null;
        FileFormat? format = null;
        while (!sql.AtEnd)
        {
            if (sql.TryWord("URL"))
            {
                sql.Symbol("=");
                url = sql.Text();
            }
            else if (sql.TryWord("FILE_FORMAT"))
            {
                format = ReadFormat();
            }
            else if (sql.Current.Text is "CREDENTIALS" or "ENCRYPTION" or "DIRECTORY")
            {
                sql.Next();
                sql.Symbol("=");
                sql.SkipParentheses();
            }
            else if (!sql.TryOption("STORAGE_INTEGRATION", "COMMENT"))
            {
                throw sql.Unexpected("URL, STORAGE_INTEGRATION, FILE_FORMAT, CREDENTIALS, ENCRYPTION, DIRECTORY or COMMENT");
            }
        }
        var exists = catalog.Stages.Exists(s => s.Database == database && s.Schema == schema && s.Name == name);
        if (exists && ifNotExists)
            return;
        if (exists && !replace)
            throw sql.Problem(line, $"stage {name} is created twice; write CREATE STAGE IF NOT EXISTS");
        catalog.Stages.RemoveAll(s => s.Database == database && s.Schema == schema && s.Name == name);
        if (url is null)
            return;
        if (!url.StartsWith("s3://", StringComparison.OrdinalIgnoreCase))
            throw sql.Problem(line, $"the URL of stage {name} is '{url}'; only s3://bucket/path/ is emulated");
        var place = url["s3://".Length..];
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        var (bucket, prefix) = slash < 0 ? (place, "") : (place[..slash], place[(slash + 1)..]);
        catalog.Stages.Add(new ExternalStage(database, schema, name, bucket, prefix, format));
    }

    /// <summary>Reads CREATE FILE FORMAT after the word FORMAT.</summary>
    public void CreateFileFormat(bool replace)
    {
        var ifNotExists = sql.IfNotExists();
        var line = sql.Current.Line;
        var name = sql.QualifiedName();
        var format = ReadOptions(() => sql.AtEnd);
        if (!catalog.FileFormats.TryAdd(name, format) && !ifNotExists)
        {
            if (!replace)
                throw sql.Problem(line, $"file format {name.Name} is created twice; write CREATE FILE FORMAT IF NOT EXISTS");
            catalog.FileFormats[name] = format;
        }
    }

    /// <summary>Reads the value of FILE_FORMAT after that word: options, or the name of a format.</summary>
    public FileFormat ReadFormat()
    {
        sql.Symbol("=");
        if (!sql.TrySymbol("("))
            return FindFormat();
        if (!sql.TryWord("FORMAT_NAME"))
        {
            var format = ReadOptions(() => sql.Current.IsSymbol(")"));
            sql.Symbol(")");
            return format;
        }
        sql.Symbol("=");
        var found = FindFormat();
        sql.Symbol(")");
        return found;
    }

    FileFormat FindFormat()
    {
        var line = sql.Current.Line;
        // The name may also be a string.
        var name = sql.Current.Kind == SqlTokenKind.Text ? Qualified(sql.Text(), line) : sql.QualifiedName();
        return catalog.FileFormats.TryGetValue(name, out var format)
            ? format
            : throw sql.Problem(line, $"file format {name.Database}.{name.Schema}.{name.Name} does not exist");
    }

    (string Database, string Schema, string Name) Qualified(string text, int line)
    {
        string[] parts = [.. text.Split('.').Select(part => part.ToUpperInvariant())];
        var database = parts.Length == 3 ? parts[0] : sql.Database;
        var schema = parts.Length >= 2 ? parts[^2] : sql.Schema;
        return database is not null && schema is not null
            ? (database, schema, parts[^1])
            : throw sql.Problem(line, $"no schema for {text}: write DATABASE.SCHEMA.{text} or USE SCHEMA first");
    }

    FileFormat ReadOptions(Func<bool> atEnd)
    {
        var line = sql.Current.Line;
        var format = new FileFormat();
        var isJson = false;
        while (!atEnd())
        {
            if (sql.TryWord("TYPE"))
            {
                sql.Symbol("=");
                isJson = Value() == "JSON";
            }
            else if (sql.TryWord("COMPRESSION"))
            {
                sql.Symbol("=");
                var valueLine = sql.Current.Line;
                var value = Value();
                format = Enum.TryParse<FileCompression>(value, ignoreCase: true, out var compression)
                    ? format with
                    {
                        Compression = compression,
                    }
                    : throw sql.Problem(valueLine, $"COMPRESSION = {value} is not emulated; AUTO, NONE, GZIP and ZSTD are");
            }
            else if (sql.TryWord("STRIP_OUTER_ARRAY"))
            {
                sql.Symbol("=");
                format = format with { StripOuterArray = sql.Boolean() };
            }
            else if (
                sql.Current.Text
                is "ENABLE_OCTAL"
                    or "ALLOW_DUPLICATE"
                    or "STRIP_NULL_VALUES"
                    or "REPLACE_INVALID_CHARACTERS"
                    or "IGNORE_UTF8_ERRORS"
            )
            {
                var option = sql.Next();
                sql.Symbol("=");
                if (sql.Boolean())
                    throw sql.Problem(option.Line, $"{option.Text} = TRUE is not emulated");
            }
            else if (!sql.TryOption("COMMENT", "FILE_EXTENSION", "SKIP_BYTE_ORDER_MARK", "TRIM_SPACE", "MULTI_LINE"))
            {
                throw sql.Unexpected("an option of a JSON format (TYPE, COMPRESSION, STRIP_OUTER_ARRAY)");
            }
            sql.TrySymbol(",");
        }
        return isJson ? format : throw sql.Problem(line, "only file formats of TYPE = JSON are emulated");
    }

    string Value() => sql.Next().Text.ToUpperInvariant();
}
