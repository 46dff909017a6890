namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A table as declared; later ALTERs add to it.</summary>
sealed class Table(string database, string schema, string name)
{
    public string Database { get; } = database;
    public string Schema { get; } = schema;
    public string Name { get; } = name;
    public List<Column> Columns { get; } = [];

    /// <summary>Rejected rows can be read from ERROR_TABLE in Snowflake; here they can be read either way.</summary>
    public bool ErrorLogging { get; set; }

    public string FullName => $"{Database}.{Schema}.{Name}";

    /// <summary>Position of the column, or -1. Names are compared exactly.</summary>
    public int IndexOf(string column) => Columns.FindIndex(c => c.Name == column);
}
