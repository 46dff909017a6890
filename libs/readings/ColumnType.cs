namespace ThermalStreaming.Readings;

/// <summary>The families of column types that differ in what they can hold.</summary>
public enum ColumnType
{
    /// <summary>VARIANT and other types that take any JSON.</summary>
    Any,

    /// <summary>NUMBER and its synonyms.</summary>
    Number,

    /// <summary>FLOAT and its synonyms.</summary>
    Real,

    /// <summary>VARCHAR and its synonyms.</summary>
    Text,

    Boolean,

    /// <summary>DATE and TIMESTAMP.</summary>
    Timestamp,

    Time,

    Map,

    List,
}
