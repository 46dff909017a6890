namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The families of column types.</summary>
enum SqlKind
{
    Number,
    Float,
    Varchar,
    Boolean,
    Date,
    Time,
    TimestampNtz,
    TimestampLtz,
    TimestampTz,
    Variant,
    Object,
    Array,
}
