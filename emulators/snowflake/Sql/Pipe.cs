namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A streaming pipe: the table that it fills, and how.</summary>
sealed class Pipe(string database, string schema, string name, Table table)
{
    public string Database { get; } = database;
    public string Schema { get; } = schema;
    public string Name { get; } = name;
    public Table Table { get; } = table;

    /// <summary>Sources of a pipe with a SELECT; null if it matches keys to column names.</summary>
    public IReadOnlyList<ColumnSource>? Sources { get; init; }

    /// <summary>Whether keys match column names regardless of case (used without <see cref="Sources"/>).</summary>
    public bool IgnoreCase { get; init; }

    /// <summary>Whether Snowflake itself created it for a table. It is not visible until somebody streams to it.</summary>
    public bool IsDefault { get; init; }
}
