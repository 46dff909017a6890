namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Files that classic Snowpipe loads into the table.</summary>
sealed partial class TableStore
{
    readonly LoadTable loads;

    /// <summary>Whether the pipe has read a file of this path before; such a file is not loaded again.</summary>
    /// <param name="pipe">DATABASE.SCHEMA.NAME of the pipe.</param>
    /// <param name="path">Path below the stage.</param>
    public bool HasRead(string pipe, string path)
    {
        lock (gate)
            return loads.IsKnown(pipe, path, NowMs);
    }

    /// <summary>
    /// Puts the rows of a file into the table and the file into the load history, both or neither. Once it returns, both are safe from a
    /// power cut.
    /// </summary>
    /// <param name="load">The entry of the history.</param>
    /// <param name="spool">The rows; null if there are none to load.</param>
    /// <returns>False if the pipe has read a file of this path already; nothing was done.</returns>
    public bool Load(FileLoad load, LoadSpool? spool)
    {
        lock (gate)
        {
            if (loads.IsKnown(load.Pipe, load.Path, NowMs))
                return false;
            // Rows are numbered in the order of the appends, so rows streamed earlier must not be committed later.
            appends.CommitUpTo(long.MaxValue, NowMs);
            if (spool is not null)
                appends.WriteBodies(spool);
            database.Durably(() =>
            {
                if (spool is not null)
                    appends.AddLoaded(channels.LoadingOf(load.Pipe), spool, NowMs);
                loads.Add(load);
            });
            return true;
        }
    }

    /// <summary>The load history, oldest entry first.</summary>
    /// <param name="after">The id before the first requested one.</param>
    /// <param name="limit">Most entries.</param>
    public IReadOnlyList<FileLoad> Loads(long after, long limit)
    {
        lock (gate)
            return loads.After(after, limit);
    }

    /// <summary>The load history of a pipe in a range of time, oldest entry first.</summary>
    public IReadOnlyList<FileLoad> LoadsBetween(string pipe, long startMs, long endMs, long limit)
    {
        lock (gate)
            return loads.Between(pipe, startMs, endMs, limit);
    }

    /// <summary>Stores files named by a client. Once it returns, they are safe from a power cut.</summary>
    public void Request(string pipe, IEnumerable<string> paths)
    {
        lock (gate)
            database.Durably(() => loads.Request(pipe, paths, NowMs));
    }

    /// <summary>Files named by clients that have not been read.</summary>
    public IReadOnlyList<FileRequest> OpenRequests(string pipe)
    {
        lock (gate)
            return loads.OpenRequests(pipe);
    }

    /// <summary>The file of a request has been read.</summary>
    public void CloseRequest(FileRequest request)
    {
        lock (gate)
            database.Together(() => loads.CloseRequest(request));
    }

    /// <summary>The newest entries of files named by clients, oldest first.</summary>
    public IReadOnlyList<FileLoad> RequestedLoads(string pipe, long after, long sinceMs, long limit)
    {
        lock (gate)
            return loads.Requested(pipe, after, sinceMs, limit);
    }

    /// <summary>The number of entries of files named by clients.</summary>
    public long CountRequestedLoads(string pipe, long after, long sinceMs)
    {
        lock (gate)
            return loads.CountRequested(pipe, after, sinceMs);
    }
}
