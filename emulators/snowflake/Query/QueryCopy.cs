using System.Buffers;
using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The committed rows of every table as DuckDB tables, in a file for each database below <c>query</c> in the data directory. It is updated
/// before each query and can be deleted at any time, but then the created views are lost.
/// </summary>
/// <param name="directory">The data directory of the emulator.</param>
/// <param name="catalog">The declared tables.</param>
sealed class QueryCopy(string directory, Catalog catalog)
{
    // Rows are copied in portions, each a transaction, so that an interrupted first copy of many rows can resume.
    const int RowsPerPortion = 10_000;

    // DuckDB packs rows in groups, and keeps a group in memory until it is full. Its default of 122,880 rows of this size is 200 MB.
    const int RowsPerGroup = 16_384;

    string Folder => Path.Combine(directory, "query");

    /// <summary>The file that a process locks while it uses the copy.</summary>
    public string LockFile => Path.Combine(Directory.CreateDirectory(Folder).FullName, "lock");

    /// <summary>The file of a database.</summary>
    public string FileOf(string database) => Path.Combine(Folder, StreamingTables.FileName(database) + ".duckdb");

    /// <summary>Copies everything committed since the last time.</summary>
    /// <exception cref="QueryException">A stored row no longer fits its table.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="InvalidDataException">The stored rows are damaged.</exception>
    public void BringUpToDate()
    {
        foreach (var database in catalog.Databases)
        {
            using var duck = QuerySession.Connect();
            duck.Run($"ATTACH {Literal(FileOf(database))} AS {Name(database)} (ROW_GROUP_SIZE {RowsPerGroup})");
            foreach (var (_, schema) in catalog.Schemas.Where(s => s.Database == database))
                duck.Run($"CREATE SCHEMA IF NOT EXISTS {Name(database)}.{Name(schema)}");
            duck.Run($"USE {Name(database)}");
            // Which rows of a table are copied: those of this store, in columns of this form, up to this append.
            duck.Run("CREATE SCHEMA IF NOT EXISTS \"$emulator\"");
            duck.Run(
                "CREATE TABLE IF NOT EXISTS \"$emulator\".copied"
                    + " (name VARCHAR PRIMARY KEY, identity VARCHAR, shape VARCHAR, last_append BIGINT)"
            );
            LoadsCopy.Create(duck);
            foreach (var table in catalog.Tables.Where(t => t.Database == database))
                Copy(duck, table);
        }
    }

    void Copy(DuckDBConnection duck, Table table)
    {
        var store = StreamingTables.FileOf(directory, table);
        var name = $"{Name(table.Database)}.{Name(table.Schema)}.{Name(table.Name)}";
        var shape = string.Join(", ", table.Columns.Select(column => $"{Name(column.Name)} {RowAppender.TypeOf(column.Type)}"));
        if (!File.Exists(store))
        {
            duck.Run($"CREATE TABLE IF NOT EXISTS {name} ({shape})");
            return;
        }
        using var database = Database.OpenToRead(store);
        using var bodies = new BodyFile(StreamingTables.BodiesOf(store), FileAccess.Read);
        var appends = new AppendTable(database, bodies);
        var identity = database.All("SELECT identity FROM store", row => row.GetString(0)).FirstOrDefault() ?? "";
        var known = duck.Rows("SELECT identity, shape, last_append FROM \"$emulator\".copied WHERE name = $1", table.FullName)
            .FirstOrDefault();
        if (known is null || (string?)known[0] != identity || (string?)known[1] != shape)
        {
            duck.Run($"CREATE OR REPLACE TABLE {name} ({shape})");
            duck.Run("INSERT OR REPLACE INTO \"$emulator\".copied VALUES ($1, $2, $3, 0)", table.FullName, identity, shape);
            LoadsCopy.Forget(duck, table);
            known = [identity, shape, 0L];
        }
        var (_, last) = appends.FromRow(0);
        for (var next = Convert.ToInt64(known[2], CultureInfo.InvariantCulture) + 1; next <= last; )
            next = CopyPortion(duck, table, appends, next, last);
        LoadsCopy.BringUpToDate(duck, table, new LoadTable(database));
    }

    /// <returns>The append to continue with.</returns>
    long CopyPortion(DuckDBConnection duck, Table table, AppendTable appends, long next, long last)
    {
        var mappers = new Dictionary<string, RowMapper>();
        var row = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(row, new JsonWriterOptions { SkipValidation = true });
        duck.Run("BEGIN TRANSACTION");
        using (var target = new RowAppender(duck, table))
        {
            for (var rows = 0; rows < RowsPerPortion && next <= last; )
            {
                if (appends.Next(next, last, withErrors: false) is not { } append)
                {
                    next = last + 1;
                    break;
                }
                if (!mappers.TryGetValue(append.Pipe, out var mapper))
                    mappers[append.Pipe] = mapper = new RowMapper(catalog.PipeOf(table, append.Pipe));
                RowBody.ForEachLine(
                    appends.Body(append),
                    append.Encoding,
                    (index, line) =>
                    {
                        if (append.Rejections.ContainsKey(index))
                            return true;
                        json.Reset();
                        mapper.Write(line, json);
                        json.Flush();
                        target.Append(row.WrittenSpan);
                        row.ResetWrittenCount();
                        rows++;
                        return true;
                    }
                );
                next = append.Id + 1;
            }
        }
        duck.Run("UPDATE \"$emulator\".copied SET last_append = $2 WHERE name = $1", table.FullName, next - 1);
        duck.Run("COMMIT");
        return next;
    }

    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
