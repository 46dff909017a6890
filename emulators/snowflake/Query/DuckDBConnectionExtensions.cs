using DuckDB.NET.Data;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Short forms for statements without a result or with a small one.</summary>
static class DuckDBConnectionExtensions
{
    /// <summary>Runs a statement; its parameters are $1, $2 and so on.</summary>
    public static void Run(this DuckDBConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(connection, sql, values);
        command.ExecuteNonQuery();
    }

    /// <summary>Runs a query and reads all of its rows.</summary>
    public static List<object?[]> Rows(this DuckDBConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(connection, sql, values);
        using var reader = command.ExecuteReader();
        List<object?[]> rows = [];
        while (reader.Read())
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))]);
        return rows;
    }

    static DuckDBCommand Command(DuckDBConnection connection, string sql, ReadOnlySpan<object> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var value in values)
            command.Parameters.Add(new DuckDBParameter(value));
        return command;
    }
}
