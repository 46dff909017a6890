using System.IO.Enumeration;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The active faults. Safe for concurrent use.</summary>
sealed class Faults(TimeProvider clock)
{
    /// <summary>
    /// The endpoints that a fault can hit, each marked by its name, and the steps of the loader. "any" means only the endpoints: the loader
    /// works all the time and would use up such a fault.
    /// </summary>
    public static readonly string[] Endpoints =
    [
        "any",
        "hostname",
        "token",
        "pipe_info",
        "open",
        "append",
        "upload",
        "filebuffer",
        "status",
        "drop",
        "insert_files",
        "insert_report",
        "load_history",
        .. LoadStep.All,
    ];

    public static readonly string[] Kinds =
    [
        "status",
        "lost_reply",
        "abort",
        "delay",
        "invalid_pipe",
        "invalidate",
        "clock_skew",
        "hostname",
    ];

    readonly Lock gate = new();
    readonly List<Fault> active = [];
    int lastId;

    /// <summary>The server's time, by which tokens are judged.</summary>
    public DateTimeOffset ServerTime
    {
        get
        {
            lock (gate)
            {
                Expire();
                return active.Where(f => f.Kind == "clock_skew").Aggregate(clock.GetUtcNow(), (time, fault) => time + fault.Span);
            }
        }
    }

    /// <summary>Whether the clock is shifted, so that the Date header must show it.</summary>
    public bool ClockIsSkewed
    {
        get
        {
            lock (gate)
                return active.Exists(f => f.Kind == "clock_skew");
        }
    }

    public void Add(Fault fault)
    {
        lock (gate)
        {
            fault.Id = ++lastId;
            active.Add(fault);
        }
    }

    /// <summary>Removes one fault, or all.</summary>
    /// <param name="id">The number of the fault; null for all.</param>
    /// <returns>How many were removed.</returns>
    public int Clear(int? id)
    {
        lock (gate)
            return active.RemoveAll(f => id is null || f.Id == id);
    }

    public IReadOnlyList<Fault> List()
    {
        lock (gate)
        {
            Expire();
            return [.. active];
        }
    }

    /// <summary>Counts a call against the faults that match it, and returns their effect.</summary>
    /// <param name="endpoint">One of <see cref="Endpoints"/>, not any.</param>
    /// <param name="channels">
    /// The call's channels, classic pipes, or keys of objects. If there are none, only a fault for every channel matches.
    /// </param>
    public FaultPlan Take(string endpoint, IReadOnlyCollection<string> channels)
    {
        var plan = new FaultPlan();
        lock (gate)
        {
            Expire();
            foreach (var fault in active.Where(f => Matches(f, endpoint, channels)))
            {
                if (fault.Skip > 0)
                {
                    fault.Skip--;
                    continue;
                }
                if (fault.Times <= 0)
                    continue;
                fault.Times--;
                // Only one fault can end a call; the others wait for the next.
                if (Apply(fault, plan))
                    break;
            }
            active.RemoveAll(f => f.Times <= 0);
        }
        return plan;
    }

    /// <returns>Whether the fault ends the call.</returns>
    static bool Apply(Fault fault, FaultPlan plan)
    {
        switch (fault.Kind)
        {
            case "delay":
                plan.Delay += fault.Span;
                return false;
            case "invalid_pipe":
                plan.InvalidPipe = true;
                return false;
            case "hostname":
                plan.Host = fault.Host;
                return false;
            case "abort":
                plan.AbortBefore = true;
                return true;
            case "lost_reply":
                plan.LoseReply = true;
                return true;
            default:
                plan.Refuse = fault;
                return true;
        }
    }

    static bool Matches(Fault fault, string endpoint, IReadOnlyCollection<string> channels) =>
        fault.Kind != "clock_skew"
        && (fault.Endpoint == endpoint || (fault.Endpoint == "any" && !LoadStep.All.Contains(endpoint)))
        && (fault.Channel == "*" || channels.Any(c => FileSystemName.MatchesSimpleExpression(fault.Channel, c, ignoreCase: true)));

    void Expire()
    {
        if (active.Count > 0)
            active.RemoveAll(f => f.Until is { } until && clock.GetUtcNow() >= until);
    }
}
