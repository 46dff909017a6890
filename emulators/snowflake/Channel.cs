using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A channel that has not been dropped, as the store holds it. Times are milliseconds since 1970.</summary>
/// <param name="Id">Its number in the store.</param>
/// <param name="Pipe">Name of its pipe as declared.</param>
/// <param name="Name">Its name as it was first sent.</param>
/// <param name="Elastic">It is its pipe's elastic channel, which knows no tokens.</param>
/// <param name="ClientSequencer">First half of the continuation token: how often the name was opened, from 0.</param>
/// <param name="NextRowSequencer">Second half: the next append's number since then, from 1.</param>
/// <param name="StatusCode">SUCCESS, or why it must be reopened.</param>
/// <param name="TouchedMs">When it was last opened or appended to.</param>
sealed record Channel(
    long Id, string Pipe, string Name, bool Elastic, int ClientSequencer, int NextRowSequencer, string StatusCode, long TouchedMs)
{
    /// <summary>The columns that <see cref="Read"/> expects.</summary>
    public const string Columns = "id, pipe, name, elastic, client_sequencer, next_row_sequencer, status_code, touched_ms";

    /// <summary>The continuation token that the next append must bring.</summary>
    public string Token => $"{ClientSequencer}_{NextRowSequencer}";

    public static Channel Read(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetBoolean(3), row.GetInt32(4), row.GetInt32(5), row.GetString(6),
        row.GetInt64(7));
}
