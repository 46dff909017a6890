namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The databases, schemas, tables, stages and pipes that the SQL files declare.</summary>
sealed class Catalog
{
    public const string DefaultPipeSuffix = "-STREAMING";

    public HashSet<string> Databases { get; } = [];
    public HashSet<(string Database, string Schema)> Schemas { get; } = [];
    public List<Table> Tables { get; } = [];
    public List<Pipe> Pipes { get; } = [];
    public List<LoadPipe> LoadPipes { get; } = [];
    public List<ExternalStage> Stages { get; } = [];

    /// <summary>JSON file formats by database, schema and name.</summary>
    public Dictionary<(string Database, string Schema, string Name), FileFormat> FileFormats { get; } = [];

    public Table? FindTable(string database, string schema, string name) =>
        Tables.Find(t => t.Database == database && t.Schema == schema && t.Name == name);

    /// <summary>
    /// The pipe of stored rows of a table, by its name. A pipe that the SQL no longer declares leaves rows behind; the table's default pipe
    /// shows them by column name.
    /// </summary>
    public Pipe PipeOf(Table table, string name) => Pipes.Find(p => p.Table == table && p.Name == name) ?? DefaultPipeOf(table);

    /// <summary>The pipe that Snowflake creates for a table.</summary>
    public Pipe DefaultPipeOf(Table table) => Pipes.First(p => p.Table == table && p.IsDefault);

    /// <summary>Adds to each table the pipe that Snowflake creates for it.</summary>
    public void AddDefaultPipes()
    {
        foreach (var table in Tables)
        {
            Pipes.Add(
                new Pipe(table.Database, table.Schema, table.Name + DefaultPipeSuffix, table) { IgnoreCase = true, IsDefault = true }
            );
        }
    }

    /// <summary>
    /// Turns <c>"table"-STREAMING</c>, as Snowflake's own SDK names the default pipe of a quoted table, into <c>"table-STREAMING"</c>;
    /// every other identifier is unchanged.
    /// </summary>
    public static string DefaultPipeIdentifier(string identifier) =>
        identifier is ['"', ..] && identifier.EndsWith('"' + DefaultPipeSuffix, StringComparison.OrdinalIgnoreCase)
            ? identifier[..^(DefaultPipeSuffix.Length + 1)] + DefaultPipeSuffix + '"'
            : identifier;

    /// <summary>
    /// The name that an identifier in a URL stands for: in double quotes exactly that name; otherwise the name in any case, upper case
    /// first.
    /// </summary>
    public static string? Resolve(string identifier, IEnumerable<string> names)
    {
        if (identifier is ['"', .., '"'] and { Length: > 1 })
        {
            var exact = identifier[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal);
            return names.FirstOrDefault(n => n == exact);
        }
        var upper = identifier.ToUpperInvariant();
        return names.FirstOrDefault(n => n == upper) ?? names.FirstOrDefault(n => n.Equals(identifier, StringComparison.OrdinalIgnoreCase));
    }
}
