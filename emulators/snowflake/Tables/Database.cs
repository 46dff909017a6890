using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// One SQLite database with a write-ahead log. Writes survive a kill of the process; writes within <see cref="Durably"/>, and everything
/// before them, also survive a power cut. Not safe for concurrent use.
/// </summary>
/// <remarks>
/// Every method throws <see cref="IOException"/> if the disk refuses, and <see cref="InvalidDataException"/> if the file is damaged
/// or is not a database.
/// </remarks>
sealed class Database : IDisposable
{
    // The codes of https://sqlite.org/rescode.html for a damaged file.
    const int Corrupt = 11;
    const int NotADatabase = 26;

    readonly string path;
    readonly SqliteConnection connection;
    bool disposed;

    Database(string path, SqliteOpenMode mode)
    {
        this.path = path;
        // Not pooled: a pooled connection would outlive Dispose and keep the file open.
        connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Pooling = false,
                Mode = mode,
            }.ToString()
        );
    }

    /// <summary>Opens or creates the file, and runs statements that declare its tables.</summary>
    public static Database Open(string path, string schema) =>
        Opened(
            new Database(path, SqliteOpenMode.ReadWriteCreate),
            database =>
            {
                database.Execute("PRAGMA journal_mode = WAL");
                database.Execute("PRAGMA synchronous = NORMAL");
                database.Execute(schema);
            }
        );

    /// <summary>Opens the file for reading, even while another process writes it.</summary>
    public static Database OpenToRead(string path) => Opened(new Database(path, SqliteOpenMode.ReadOnly), _ => { });

    static Database Opened(Database database, Action<Database> prepare)
    {
        try
        {
            database.Guard(database.connection.Open);
            prepare(database);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Checks the structure of tables and their indexes by reading all of them.</summary>
    public void CheckTables(params ReadOnlySpan<string> tables)
    {
        foreach (var table in tables)
        {
            if (All($"PRAGMA quick_check({table})", row => row.GetString(0)).FirstOrDefault(said => said != "ok") is { } damage)
                throw Damaged(damage);
        }
    }

    /// <summary>Runs a statement; its parameters are $1, $2 and so on.</summary>
    public void Execute(string sql, params ReadOnlySpan<object?> values)
    {
        using var command = Command(sql, values);
        Guard(() => command.ExecuteNonQuery());
    }

    /// <summary>Runs a query and reads each of its rows.</summary>
    public List<T> All<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var command = Command(sql, values);
        List<T> rows = [];
        Guard(() =>
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
                rows.Add(read(reader));
        });
        return rows;
    }

    /// <summary>The first column of a query's first row as a whole number; null if there is none.</summary>
    public long? Number(string sql, params ReadOnlySpan<object?> values)
    {
        using var command = Command(sql, values);
        object? value = null;
        Guard(() => value = command.ExecuteScalar());
        return value as long?;
    }

    /// <summary>Makes a change as a whole or not at all.</summary>
    public void Together(Action change)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            change();
            Execute("COMMIT");
        }
        catch
        {
            // A transaction that SQLite has already rolled back, as on a full disk, cannot be rolled back again.
            if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0)
                Execute("ROLLBACK");
            throw;
        }
    }

    /// <summary>Makes a change as a whole or not at all, and returns once it is safe from a power cut.</summary>
    public void Durably(Action change)
    {
        Execute("PRAGMA synchronous = FULL");
        try
        {
            Together(change);
        }
        finally
        {
            Execute("PRAGMA synchronous = NORMAL");
        }
    }

    SqliteCommand Command(string sql, ReadOnlySpan<object?> values)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue($"${i + 1}", values[i] ?? DBNull.Value);
        return command;
    }

    void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (SqliteException e) when (e.SqliteErrorCode is Corrupt or NotADatabase)
        {
            throw Damaged(e.Message);
        }
        catch (SqliteException e)
        {
            throw new IOException($"{path}: {e.Message}", e);
        }
    }

    InvalidDataException Damaged(string how) =>
        new(
            $"{path} is damaged, or is not a database of this emulator ({how}). Check the storage (dmesg, SD card) and move the file away;"
                + " its rows are lost."
        );

    public void Dispose()
    {
        disposed = true;
        connection.Dispose();
    }
}
