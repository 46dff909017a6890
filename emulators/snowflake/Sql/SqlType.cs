namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A column type with its limits. <see cref="CellConverter"/> casts values to it.</summary>
/// <param name="Kind">The family.</param>
/// <param name="Length">VARCHAR: the most characters. NUMBER: the most digits before the point. Otherwise 0.</param>
/// <param name="Scale">NUMBER: digits after the point. Otherwise 0.</param>
readonly record struct SqlType(SqlKind Kind, int Length = 0, int Scale = 0)
{
    /// <summary>The default length of a VARCHAR.</summary>
    public const int MaxVarchar = 16_777_216;

    public static SqlType Number(int precision, int scale) => new(SqlKind.Number, precision - scale, scale);

    /// <summary>The type name in Snowflake's cast errors.</summary>
    public string ErrorName =>
        Kind switch
        {
            SqlKind.Number => "FIXED",
            SqlKind.Float => "REAL",
            SqlKind.Varchar => "TEXT",
            SqlKind.TimestampNtz => "TIMESTAMP_NTZ",
            SqlKind.TimestampLtz => "TIMESTAMP_LTZ",
            SqlKind.TimestampTz => "TIMESTAMP_TZ",
            _ => Kind.ToString().ToUpperInvariant(),
        };

    /// <summary>The single type that combines a cast to this type with storing in a column of type <paramref name="column"/>.</summary>
    /// <returns>False if the two are different families.</returns>
    public bool TryStoreIn(SqlType column, out SqlType combined)
    {
        combined = column;
        if (Kind == SqlKind.Variant)
            return true;
        if (Kind != column.Kind)
            return false;
        if (Kind is SqlKind.Varchar)
            combined = column with { Length = Math.Min(Length, column.Length) };
        else if (Kind is SqlKind.Number)
            combined = new SqlType(SqlKind.Number, Math.Min(Length, column.Length), Math.Min(Scale, column.Scale));
        return true;
    }

    public override string ToString() =>
        Kind switch
        {
            SqlKind.Number => $"NUMBER({Length + Scale},{Scale})",
            SqlKind.Varchar => $"VARCHAR({Length})",
            SqlKind.TimestampNtz => "TIMESTAMP_NTZ",
            SqlKind.TimestampLtz => "TIMESTAMP_LTZ",
            SqlKind.TimestampTz => "TIMESTAMP_TZ",
            _ => Kind.ToString().ToUpperInvariant(),
        };
}
