namespace ThermalStreaming.Forwarding;

/// <summary>The slots that a replica owns at this moment, adopted ones included. Thread-safe.</summary>
sealed class OwnedSlots
{
    readonly Lock gate = new();
    readonly List<Slot> slots = [];

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (gate)
                return slots.ConvertAll(slot => slot.Name);
        }
    }

    /// <summary>Age of the oldest reading that is not committed, in seconds; 0 if there is none.</summary>
    public double LagSeconds
    {
        get
        {
            lock (gate)
                return slots.Select(slot => slot.Journal.OldestUncommittedAge?.TotalSeconds ?? 0).DefaultIfEmpty().Max();
        }
    }

    /// <summary>Adds a slot that was opened.</summary>
    public void Add(Slot slot)
    {
        lock (gate)
            slots.Add(slot);
    }

    /// <summary>Removes a slot that is about to be closed.</summary>
    public void Remove(Slot slot)
    {
        lock (gate)
            slots.Remove(slot);
    }

    /// <summary>Adds up a figure of all slots.</summary>
    public long Sum(Func<Slot, long> figure)
    {
        lock (gate)
            return slots.Sum(figure);
    }
}
