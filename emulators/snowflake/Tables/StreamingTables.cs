namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Every declared table with its file, and the timer that commits buffered rows.</summary>
sealed partial class StreamingTables : IDisposable
{
    // Commits that fall due within this time share one fsync.
    static readonly TimeSpan CommitGrain = TimeSpan.FromMilliseconds(100);

    readonly Dictionary<Table, TableStore> stores = [];
    readonly TimeProvider clock;
    readonly ILogger<StreamingTables> logger;
    readonly ITimer timer;
    readonly FileStream directoryLock;
    int armed;

    /// <summary>Opens the file of every table in the catalog.</summary>
    /// <exception cref="IOException">A file cannot be opened, for example because another emulator has it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or is not a database.</exception>
    public StreamingTables(Catalog catalog, EmulatorSettings settings, TimeProvider clock, ILogger<StreamingTables> logger)
    {
        Catalog = catalog;
        this.clock = clock;
        this.logger = logger;
        timer = clock.CreateTimer(_ => CommitDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var directory = Directory.CreateDirectory(Path.Combine(settings.DataDirectory, "tables"));
        // SQLite itself would not prevent a second emulator.
        var lockFile = Path.Combine(directory.FullName, "lock");
        directoryLock = new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            foreach (var table in catalog.Tables)
            {
                var path = FileOf(settings.DataDirectory, table);
                if (!File.Exists(path) && File.Exists(Path.ChangeExtension(path, ".log")))
                    LogOldFormat(Path.ChangeExtension(path, ".log"));
                var store = stores[table] = new TableStore(
                    table,
                    path,
                    pipe => catalog.PipeOf(table, pipe),
                    settings.CommitDelay,
                    settings.ChannelExpiry,
                    clock
                );
                if (store.DiscardedAppends > 0)
                    LogDiscarded(path, store.DiscardedAppends);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        Wake();
    }

    public Catalog Catalog { get; }

    public IEnumerable<TableStore> All => stores.Values;

    public TableStore Of(Table table) => stores[table];

    /// <summary>Schedules the commit of newly buffered rows.</summary>
    public void Wake()
    {
        // A running timer is not changed: a steady stream of appends would postpone it for ever.
        if (Interlocked.Exchange(ref armed, 1) == 0)
            timer.Change(CommitGrain, Timeout.InfiniteTimeSpan);
    }

    void CommitDue()
    {
        Volatile.Write(ref armed, 0);
        try
        {
            long? next = null;
            foreach (var store in stores.Values)
            {
                if (store.Commit() is { } due && (next is null || due < next))
                    next = due;
            }
            if (next is { } at)
            {
                // Later appends are due later than this.
                var wait = TimeSpan.FromMilliseconds(at - clock.GetUtcNow().ToUnixTimeMilliseconds());
                Volatile.Write(ref armed, 1);
                timer.Change(wait < CommitGrain ? CommitGrain : wait, Timeout.InfiniteTimeSpan);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // The rows stay buffered. The next attempt follows in a second, or with the next request.
            LogCommitFailed(e.Message);
            Volatile.Write(ref armed, 1);
            timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The emulator is stopping. Buffered rows are in the databases.
        }
    }

    /// <summary>The database of a table below the data directory.</summary>
    public static string FileOf(string directory, Table table) =>
        Path.Combine(directory, "tables", string.Join('.', new[] { table.Database, table.Schema, table.Name }.Select(FileName)) + ".db");

    /// <summary>The body file of a table's database.</summary>
    public static string BodiesOf(string database) => Path.ChangeExtension(database, ".rows");

    /// <summary>An identifier as part of a file name; dots separate the parts.</summary>
    public static string FileName(string identifier) =>
        Uri.EscapeDataString(identifier).Replace(".", "%2E", StringComparison.Ordinal).Replace("~", "%7E", StringComparison.Ordinal);

    public void Dispose()
    {
        timer.Dispose();
        foreach (var store in stores.Values)
            store.Dispose();
        directoryLock.Dispose();
    }

    [LoggerMessage(
        EventId = 700,
        Level = LogLevel.Warning,
        Message = "{Path}: discarded {Count} uncommitted appends, because each is damaged or follows a damaged one."
            + " Their clients will send them again. Check the storage (dmesg, SD card)."
    )]
    partial void LogDiscarded(string path, int count);

    [LoggerMessage(
        EventId = 702,
        Level = LogLevel.Warning,
        Message = "{Path} holds rows of an earlier version of the emulator, which this one cannot read."
            + " Delete the file to free its space."
    )]
    partial void LogOldFormat(string path);

    [LoggerMessage(EventId = 701, Level = LogLevel.Error, Message = "Buffered rows could not be committed: {Problem} Retrying in 1 s.")]
    partial void LogCommitFailed(string problem);
}
