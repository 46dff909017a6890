using ThermalStreaming.SnowpipeForwarder;

namespace ThermalStreaming.Bench;

/// <summary>
/// One slot and its channel in simulated time: the steps of the forwarder's delivery loop (poll when it is due, send what is cut, else wait
/// for readings, the linger or the poll), with readings that arrive at random. The same seed gives the same result. Not thread-safe.
/// </summary>
/// <param name="model">The rules.</param>
/// <param name="readingsPerSecond">That arrive, on average; independent devices are a Poisson process together.</param>
/// <param name="rowBytes">Bytes of a row before compression.</param>
/// <param name="commitDelay">From an append to its commit, evenly between two bounds.</param>
/// <param name="random">Of arrivals and commits.</param>
sealed class SlotSimulation(
    SlotModel model,
    double readingsPerSecond,
    double rowBytes,
    (TimeSpan Least, TimeSpan Most) commitDelay,
    Random random
)
{
    readonly double linger = model.Batches.Linger.TotalSeconds,
        window = RateLimit.Window.TotalSeconds,
        roundTrip = model.RoundTrip.TotalSeconds;
    readonly Queue<double> uncommitted = [];
    readonly Queue<double> lately = [];
    readonly Queue<(double At, double Bytes)> latelyBytes = [];
    double bytesLately;
    double now,
        lastPoll,
        firstSeen,
        nextArrival;
    int inBatch;

    /// <summary>Accepted appends.</summary>
    public long Appends { get; private set; }

    /// <summary>Questions for the status.</summary>
    public long Polls { get; private set; }

    /// <summary>Rows in the appends.</summary>
    public long Rows { get; private set; }

    /// <summary>Readings that had arrived and were not sent at the end.</summary>
    public long Waiting { get; private set; }

    /// <summary>Rows of the largest append.</summary>
    public int LargestBatch { get; private set; }

    /// <summary>Most appends within any one second.</summary>
    public int MostInASecond { get; private set; }

    /// <summary>Calls a second, without the token that the slots of a process share.</summary>
    public Calls PerSecond => new(Appends / now, Polls / now, 0);

    /// <summary>Simulates so long.</summary>
    public void Run(TimeSpan duration)
    {
        // Slots that were started together do not stay together.
        lastPoll = -random.NextDouble();
        nextArrival = Gap();
        var batchRows = (int)Math.Min(model.Batches.MaxReadings, model.Batches.MaxBytes / model.EstimatedRowBytes);
        while (now < duration.TotalSeconds)
        {
            if (now - lastPoll >= Interval())
                Poll();
            Fill(batchRows);
            if (inBatch == batchRows || (inBatch > 0 && now - firstSeen >= linger))
            {
                Send();
                continue;
            }
            var next = lastPoll + Interval();
            if (inBatch > 0)
                next = Math.Min(next, firstSeen + linger);
            // A reading wakes the loop; while a batch grows that changes nothing until it is full or due.
            next = inBatch == 0 ? Math.Min(next, nextArrival) : Math.Min(next, nextArrival + (batchRows - inBatch) / readingsPerSecond);
            now = Math.Max(next, now + 1e-6);
        }
        for (; nextArrival <= now; nextArrival += Gap())
            Waiting++;
        Waiting += inBatch;
    }

    double Interval() => (uncommitted.Count > 0 ? SnowpipeSink.BusyPoll : SnowpipeSink.IdlePoll).TotalSeconds;

    double Gap() => -Math.Log(1 - random.NextDouble()) / readingsPerSecond;

    void Poll()
    {
        Polls++;
        now += roundTrip;
        lastPoll = now;
        while (uncommitted.TryPeek(out var at) && at <= now)
            uncommitted.Dequeue();
    }

    void Fill(int batchRows)
    {
        for (; nextArrival <= now && inBatch < batchRows; nextArrival += Gap())
        {
            if (inBatch++ == 0)
                firstSeen = now;
        }
    }

    void Send()
    {
        var bytes = inBatch * rowBytes;
        while (true)
        {
            while (lately.TryPeek(out var at) && at + window <= now)
                lately.Dequeue();
            while (latelyBytes.TryPeek(out var oldest) && oldest.At + window <= now)
                bytesLately -= latelyBytes.Dequeue().Bytes;
            if (lately.Count >= model.RequestsPerSecond)
                now = lately.Peek() + window;
            else if (latelyBytes.Count > 0 && bytesLately + bytes > model.BytesPerSecond)
                now = latelyBytes.Peek().At + window;
            else
                break;
        }
        lately.Enqueue(now);
        latelyBytes.Enqueue((now, bytes));
        bytesLately += bytes;
        MostInASecond = Math.Max(MostInASecond, lately.Count);
        Appends++;
        LargestBatch = Math.Max(LargestBatch, inBatch);
        Rows += inBatch;
        inBatch = 0;
        now += roundTrip;
        var (least, most) = (commitDelay.Least.TotalSeconds, commitDelay.Most.TotalSeconds);
        uncommitted.Enqueue(now + least + (most - least) * random.NextDouble());
    }
}
