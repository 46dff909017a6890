using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Moves the device from one cell to another. The old cell gets what is in the outboxes, and keeps the connection until its broker has that
/// for good; readings taken meanwhile wait. Then the agent writes down the new cell and restarts with that cell's broker. So no reading
/// goes to two cells, whose ledgers know nothing of each other. Thread-safe.
/// </summary>
/// <remarks>
/// A kill in between changes nothing: the file names the old cell until that cell has everything, and what is in the outboxes by then goes
/// there.
/// </remarks>
sealed partial class CellMove : BackgroundService
{
    const string Part = "cell";

    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    readonly AgentOptions options;
    readonly Outboxes outboxes;
    readonly ServiceRestart restart;
    readonly Health health;
    readonly TimeProvider clock;
    readonly ILogger logger;

    /// <summary>Where each outbox ends for the old cell; null while the device stays.</summary>
    Dictionary<Outbox, long>? owed;
    CellOptions cells;
    bool isRemembered;
    bool isDone;

    public CellMove(
        AgentOptions options,
        Outboxes outboxes,
        ServiceRestart restart,
        Health health,
        StatusPage page,
        TimeProvider clock,
        ILogger<CellMove> logger
    )
    {
        (this.options, this.outboxes, this.restart) = (options, outboxes, restart);
        (this.health, this.clock, this.logger) = (health, clock, logger);
        cells = options.Cells;
        page.Add(WriteStatus);
    }

    /// <summary>The cells as they are now, a change by command included.</summary>
    public CellOptions Cells
    {
        get
        {
            lock (gate)
                return cells;
        }
    }

    /// <summary>Readings that the old cell has yet to acknowledge; 0 while the device stays.</summary>
    public long ReadingsLeft
    {
        get
        {
            lock (gate)
                return owed?.Sum(debt => Math.Max(0, debt.Key.Backlog - debt.Key.Journal.ReadingsFrom(debt.Value))) ?? 0;
        }
    }

    /// <summary>Progress of a move, for a person; empty while the device stays.</summary>
    public string Progress
    {
        get
        {
            var (home, target, left) = (Cells.Home, Cells.Target, ReadingsLeft);
            return home == target ? ""
                : left > 0 ? $"moves to cell {target}: {left} readings go to cell {home} first"
                : $"moves to cell {target}: cell {home} has all readings; the agent stays connected to it until its broker has surely "
                    + $"written them to its disk, up to {options.ReplayWindow.TotalMinutes:0.#} minutes; new readings wait";
        }
    }

    /// <summary>Chooses a cell, durably. The move begins at once and resumes after a restart.</summary>
    /// <param name="chosen">The cell; null: the one from the settings.</param>
    /// <param name="abandon">
    /// Do not wait for the old cell, because it is lost. Readings that it stored and that are still in the outboxes are stored again.
    /// </param>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void Choose(int? chosen, bool abandon)
    {
        lock (gate)
        {
            var state = cells.State with { Chosen = chosen };
            var next = cells with { State = state };
            if (abandon)
                next = next with { State = state with { Home = next.Target } };
            next.State.Write(options.DataDirectory);
            var isAnother = abandon && next.Home != cells.Home;
            cells = next;
            if (!isAnother)
            {
                Follow();
                return;
            }
            isDone = true;
            LogAbandoned(cells.Home);
        }
        restart.Request();
    }

    void WriteStatus(Utf8JsonWriter json)
    {
        var now = Cells;
        json.WriteStartObject("cell"u8);
        json.WriteNumber("cells"u8, now.Map.Count);
        json.WriteNumber("cell"u8, now.Home);
        json.WriteNumber("target"u8, now.Target);
        json.WriteBoolean("chosen"u8, now.IsChosen);
        json.WriteNumber("readings_left"u8, ReadingsLeft);
        json.WriteString("progress"u8, Progress);
        json.WriteEndObject();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            foreach (var outbox in outboxes)
                await outbox.OpenAsync(stoppingToken);
            while (!TryStep())
                await Task.Delay(Look, clock, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    /// <returns>Whether the device now has another cell, for which the agent restarts.</returns>
    bool TryStep()
    {
        lock (gate)
        {
            if (isDone)
                return true;
            try
            {
                if (!isRemembered)
                {
                    cells = cells with { State = cells.State with { Home = cells.Home } };
                    cells.State.Write(options.DataDirectory);
                    isRemembered = true;
                    Follow();
                }
                if (owed is null || owed.Any(debt => debt.Key.Journal.CommittedOffset < debt.Value))
                {
                    health.Well(Part);
                    return false;
                }
                cells = Arrived(owed);
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                health.Unwell(Part, $"the cell of this device cannot be saved, so it does not change: {e.Message}");
                return false;
            }
            isDone = true;
            LogMoved(cells.Home);
        }
        restart.Request();
        return true;
    }

    CellOptions Arrived(Dictionary<Outbox, long> debts)
    {
        var next = cells with
        {
            State = cells.State with
            {
                Home = cells.Target,
                Marks = [.. debts.Select(debt => new CellMark(debt.Key.Kind, debt.Key.Journal.Epoch, debt.Value))],
            },
        };
        next.State.Write(options.DataDirectory);
        return next;
    }

    /// <summary>Makes the outboxes follow <see cref="cells"/>.</summary>
    void Follow()
    {
        // After the move, the connection still leads to the old cell, which must get nothing more.
        if (!isRemembered || isDone)
            return;
        if (cells.Home == cells.Target)
        {
            owed = null;
            foreach (var outbox in outboxes)
                outbox.Stay();
        }
        else if (owed is null)
        {
            owed = outboxes.ToDictionary(outbox => outbox, outbox => outbox.Leave());
            LogMoves(cells.Home, cells.Target, options.ReplayWindow);
        }
    }

    [LoggerMessage(
        EventId = 90,
        Level = LogLevel.Information,
        Message = "This device moves from cell {Home} to cell {Target}. Cell {Home} gets the readings taken so far, and the agent "
            + "stays connected to it for REPLAY_WINDOW ({Window}) after that; readings taken from now on wait on disk for cell "
            + "{Target}"
    )]
    partial void LogMoves(int home, int target, TimeSpan window);

    [LoggerMessage(
        EventId = 91,
        Level = LogLevel.Information,
        Message = "This device has moved: from now on cell {Home} gets its readings"
    )]
    partial void LogMoved(int home);

    [LoggerMessage(
        EventId = 92,
        Level = LogLevel.Warning,
        Message = "This device has left its cell without waiting for it: cell {Home} gets all readings in the outbox; those that the "
            + "other cell has stored already are stored twice"
    )]
    partial void LogAbandoned(int home);
}
