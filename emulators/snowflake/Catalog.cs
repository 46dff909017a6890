using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>One column of a table.</summary>
sealed record Column(string Name, SqlType Type, bool NotNull, byte[]? DefaultJson)
{
    public byte[] Utf8Name { get; } = Encoding.UTF8.GetBytes(Name);
}

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

/// <summary>What a column of the target gets from the row.</summary>
/// <param name="Column">Position of the column in the table.</param>
/// <param name="Key">Key of the row, case-sensitive; null takes the whole row.</param>
/// <param name="Type">The cast and the column's own type in one.</param>
readonly record struct ColumnSource(int Column, string? Key, SqlType Type);

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

/// <summary>The databases, schemas, tables and pipes that the SQL files declare.</summary>
sealed class Catalog
{
    public const string DefaultPipeSuffix = "-STREAMING";

    public HashSet<string> Databases { get; } = [];
    public HashSet<(string Database, string Schema)> Schemas { get; } = [];
    public List<Table> Tables { get; } = [];
    public List<Pipe> Pipes { get; } = [];

    public Table? FindTable(string database, string schema, string name) =>
        Tables.Find(t => t.Database == database && t.Schema == schema && t.Name == name);

    /// <summary>
    /// The pipe that rows of a table came through, by its name. A pipe that the SQL no longer declares leaves rows behind; the table's
    /// default pipe shows them by column name.
    /// </summary>
    public Pipe PipeOf(Table table, string name) =>
        Pipes.Find(p => p.Table == table && p.Name == name) ?? Pipes.First(p => p.Table == table && p.IsDefault);

    /// <summary>Adds to each table the pipe that Snowflake makes for it.</summary>
    public void AddDefaultPipes()
    {
        foreach (var table in Tables)
        {
            Pipes.Add(new Pipe(table.Database, table.Schema, table.Name + DefaultPipeSuffix, table)
            {
                IgnoreCase = true,
                IsDefault = true,
            });
        }
    }

    /// <summary>
    /// Turns <c>"table"-STREAMING</c>, as Snowflake's own SDK names the default pipe of a quoted table, into <c>"table-STREAMING"</c>;
    /// every other identifier stays as it is.
    /// </summary>
    public static string DefaultPipeIdentifier(string identifier) =>
        identifier is ['"', ..] && identifier.EndsWith('"' + DefaultPipeSuffix, StringComparison.OrdinalIgnoreCase)
            ? identifier[..^(DefaultPipeSuffix.Length + 1)] + DefaultPipeSuffix + '"'
            : identifier;

    /// <summary>
    /// The name an identifier in a URL stands for: in double quotes exactly that name; otherwise the name in any case,
    /// an upper-case one first.
    /// </summary>
    public static string? Resolve(string identifier, IEnumerable<string> names)
    {
        if (identifier is ['"', .., '"'] and { Length: > 1 })
        {
            var exact = identifier[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal);
            return names.FirstOrDefault(n => n == exact);
        }
        var upper = identifier.ToUpperInvariant();
        return names.FirstOrDefault(n => n == upper)
            ?? names.FirstOrDefault(n => n.Equals(identifier, StringComparison.OrdinalIgnoreCase));
    }
}
