namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the type of a column or a cast.</summary>
static class SqlTypeReader
{
    /// <exception cref="SqlException">The next tokens are not a type, or a type that is not emulated.</exception>
    public static SqlType Read(SqlCursor sql)
    {
        var token = sql.Next();
        if (token.Kind != SqlTokenKind.Word)
            throw sql.Problem(token.Line, $"'{token.Text}' is not a type");
        return token.Text switch
        {
            "NUMBER" or "DECIMAL" or "NUMERIC" or "DEC" => Number(sql),
            "INT" or "INTEGER" or "BIGINT" or "SMALLINT" or "TINYINT" or "BYTEINT" => SqlType.Number(38, 0),
            "FLOAT" or "FLOAT4" or "FLOAT8" or "REAL" => new SqlType(SqlKind.Float),
            "DOUBLE" => Double(sql),
            "VARCHAR" or "STRING" or "TEXT" => Varchar(sql, SqlType.MaxVarchar),
            "CHAR" or "CHARACTER" => Varchar(sql, 1),
            "BOOLEAN" => new SqlType(SqlKind.Boolean),
            "DATE" => new SqlType(SqlKind.Date),
            "TIME" => Time(sql, SqlKind.Time),
            "TIMESTAMP" or "DATETIME" or "TIMESTAMP_NTZ" or "TIMESTAMPNTZ" => Time(sql, SqlKind.TimestampNtz),
            "TIMESTAMP_LTZ" or "TIMESTAMPLTZ" => Time(sql, SqlKind.TimestampLtz),
            "TIMESTAMP_TZ" or "TIMESTAMPTZ" => Time(sql, SqlKind.TimestampTz),
            "VARIANT" => new SqlType(SqlKind.Variant),
            "OBJECT" => new SqlType(SqlKind.Object),
            "ARRAY" => new SqlType(SqlKind.Array),
            _ => throw sql.Problem(token.Line, $"type {token.Text} is not emulated"),
        };
    }

    static SqlType Number(SqlCursor sql)
    {
        int precision = 38,
            scale = 0;
        if (sql.TrySymbol("("))
        {
            precision = sql.Integer(1, 38);
            if (sql.TrySymbol(","))
                scale = sql.Integer(0, precision);
            sql.Symbol(")");
        }
        return SqlType.Number(precision, scale);
    }

    static SqlType Double(SqlCursor sql)
    {
        sql.TryWord("PRECISION");
        return new SqlType(SqlKind.Float);
    }

    static SqlType Varchar(SqlCursor sql, int length) => new(SqlKind.Varchar, InParentheses(sql, 1, 134_217_728) ?? length);

    /// <summary>A precision may be given; fractions are always kept as sent.</summary>
    static SqlType Time(SqlCursor sql, SqlKind kind)
    {
        InParentheses(sql, 0, 9);
        return new SqlType(kind);
    }

    static int? InParentheses(SqlCursor sql, int least, int most)
    {
        if (!sql.TrySymbol("("))
            return null;
        var number = sql.Integer(least, most);
        sql.Symbol(")");
        return number;
    }
}
