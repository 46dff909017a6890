namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A streaming pipe: the table it fills, and how.</summary>
sealed class Pipe(string database, string schema, string name, Table table)
{
    public string Database { get; } = database;
    public string Schema { get; } = schema;
    public string Name { get; } = name;
    public Table Table { get; } = table;

    /// <summary>Sources of a pipe with a SELECT; null if it matches keys to column names.</summary>
    public IReadOnlyList<ColumnSource>? Sources { get; init; }

    /// <summary>Keys match column names whatever their case (used without <see cref="Sources"/>).</summary>
    public bool IgnoreCase { get; init; }

    /// <summary>Made by Snowflake itself for a table, and not visible until somebody streams to it.</summary>
    public bool IsDefault { get; init; }
}
