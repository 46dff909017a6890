namespace ThermalStreaming.Testing;

/// <summary>
/// Time that passes when a test says so. Monotonic time and the wall clock go together, unless the test steps the wall clock. Thread-safe.
/// </summary>
public sealed class ManualClock : TimeProvider
{
    readonly Lock gate = new();
    readonly List<ManualTimer> timers = [];
    DateTimeOffset now;
    long elapsed;

    public ManualClock(DateTimeOffset? start = null) => now = start ?? new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (gate)
            return elapsed;
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    /// <summary>When the next timer is due, from now; null without any. What a test waits for before it lets that time pass.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            lock (gate)
                return timers
                    .Where(timer => timer.DueAt != long.MaxValue)
                    .Select(timer => (TimeSpan?)TimeSpan.FromTicks(timer.DueAt - elapsed))
                    .Min();
        }
    }

    /// <summary>How many timers wait. With a known number of tasks that each wait for one, all are idle when it is that number.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return timers.Count(timer => timer.DueAt != long.MaxValue);
        }
    }

    /// <summary>Steps the wall clock alone, as NTP does.</summary>
    public void Step(TimeSpan by)
    {
        lock (gate)
            now += by;
    }

    /// <summary>Lets time pass, and fires what becomes due, each timer at its own time and in that order.</summary>
    public void Advance(TimeSpan by)
    {
        long end;
        lock (gate)
            end = elapsed + by.Ticks;
        while (true)
        {
            ManualTimer? due;
            lock (gate)
            {
                due = timers.Where(timer => timer.DueAt <= end).MinBy(timer => timer.DueAt);
                var until = due is null ? end : Math.Max(elapsed, due.DueAt);
                now += TimeSpan.FromTicks(until - elapsed);
                elapsed = until;
                if (due is not null)
                    due.DueAt = due.Period > TimeSpan.Zero ? elapsed + due.Period.Ticks : long.MaxValue;
            }
            if (due is null)
                return;
            due.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long DueAt { get; set; } = long.MaxValue;

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                DueAt = dueTime < TimeSpan.Zero ? long.MaxValue : clock.elapsed + dueTime.Ticks;
                Period = period;
                if (!clock.timers.Contains(this))
                    clock.timers.Add(this);
            }
            return true;
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                DueAt = long.MaxValue;
                clock.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
