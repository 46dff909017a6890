namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the type of a column or a cast.</summary>
static class SqlTypeReader
{
    public static SqlType Read(SqlCursor sql)
    {
        var token = sql.Next();
        if (token.Kind != SqlTokenKind.Word)
            throw sql.Problem(token.Line, $"'{token.Text}' is no type");
        switch (token.Text)
        {
            case "NUMBER" or "DECIMAL" or "NUMERIC" or "DEC":
                int precision = 38, scale = 0;
                if (sql.TrySymbol("("))
                {
                    precision = sql.Integer(1, 38);
                    if (sql.TrySymbol(","))
                        scale = sql.Integer(0, precision);
                    sql.Symbol(")");
                }
                return SqlType.Number(precision, scale);
            case "INT" or "INTEGER" or "BIGINT" or "SMALLINT" or "TINYINT" or "BYTEINT":
                return SqlType.Number(38, 0);
            case "FLOAT" or "FLOAT4" or "FLOAT8" or "REAL":
                return new SqlType(SqlKind.Float);
            case "DOUBLE":
                sql.TryWord("PRECISION");
                return new SqlType(SqlKind.Float);
            case "VARCHAR" or "STRING" or "TEXT" or "CHAR" or "CHARACTER":
                var length = token.Text.StartsWith("CHAR", StringComparison.Ordinal) ? 1 : SqlType.MaxVarchar;
                if (sql.TrySymbol("("))
                {
                    length = sql.Integer(1, 134_217_728);
                    sql.Symbol(")");
                }
                return new SqlType(SqlKind.Varchar, length);
            case "BOOLEAN":
                return new SqlType(SqlKind.Boolean);
            case "DATE":
                return new SqlType(SqlKind.Date);
            case "TIME":
                return WithFraction(sql, SqlKind.Time);
            case "TIMESTAMP" or "DATETIME" or "TIMESTAMP_NTZ" or "TIMESTAMPNTZ":
                return WithFraction(sql, SqlKind.TimestampNtz);
            case "TIMESTAMP_LTZ" or "TIMESTAMPLTZ":
                return WithFraction(sql, SqlKind.TimestampLtz);
            case "TIMESTAMP_TZ" or "TIMESTAMPTZ":
                return WithFraction(sql, SqlKind.TimestampTz);
            case "VARIANT":
                return new SqlType(SqlKind.Variant);
            case "OBJECT":
                return new SqlType(SqlKind.Object);
            case "ARRAY":
                return new SqlType(SqlKind.Array);
            default:
                throw sql.Problem(token.Line, $"type {token.Text} is not emulated");
        }
    }

    static SqlType WithFraction(SqlCursor sql, SqlKind kind)
    {
        if (sql.TrySymbol("("))
        {
            sql.Integer(0, 9);
            sql.Symbol(")");
        }
        return new SqlType(kind);
    }
}
