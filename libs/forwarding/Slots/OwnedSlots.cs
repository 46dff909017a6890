namespace ThermalStreaming.Forwarding;

/// <summary>The slots that a replica owns at this moment, adopted ones included. Thread-safe.</summary>
sealed class OwnedSlots
{
    readonly Lock gate = new();
    readonly List<Slot> slots = [];
    readonly Dictionary<SlotCounter, long> ended = [];

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
        {
            if (!slots.Remove(slot))
                return;
            foreach (var counter in Enum.GetValues<SlotCounter>())
                ended[counter] = ended.GetValueOrDefault(counter) + Count(slot, counter);
        }
    }

    /// <summary>Adds up a counter of all slots that this process has owned: the sum never drops when a slot is closed.</summary>
    public long Total(SlotCounter counter)
    {
        lock (gate)
            return ended.GetValueOrDefault(counter) + slots.Sum(slot => Count(slot, counter));
    }

    /// <summary>Describes each slot; no slot is closed meanwhile.</summary>
    public IReadOnlyList<T> Select<T>(Func<Slot, T> describe)
    {
        lock (gate)
            return slots.ConvertAll(slot => describe(slot));
    }

    /// <summary>Adds up a figure of all slots.</summary>
    public long Sum(Func<Slot, long> figure)
    {
        lock (gate)
            return slots.Sum(figure);
    }

    static long Count(Slot slot, SlotCounter counter) =>
        counter switch
        {
            SlotCounter.Flushes => slot.Journal.Flushes,
            SlotCounter.BytesWritten => slot.Journal.BytesWritten,
            _ => slot.DroppedMessages,
        };
}
