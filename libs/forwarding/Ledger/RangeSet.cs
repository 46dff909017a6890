namespace ThermalStreaming.Forwarding;

/// <summary>
/// A set of sequence numbers as sorted, disjoint, non-adjacent ranges. A device's numbers are nearly always one range, so the set is small
/// and exact. Not thread-safe.
/// </summary>
sealed class RangeSet
{
    // Inclusive bounds, so that the highest number can be in the set. Capacity 1: there is a set for each device, nearly always with one
    // range.
    readonly List<(ulong First, ulong Last)> ranges = new(1);

    public int Count => ranges.Count;

    public IReadOnlyList<(ulong First, ulong Last)> Ranges => ranges;

    /// <summary>Whether any number of the range is in the set.</summary>
    public bool Overlaps(ulong first, ulong last)
    {
        var at = IndexOfLastStartingAtOrBefore(last);
        return at >= 0 && ranges[at].Last >= first;
    }

    public void Add(ulong first, ulong last)
    {
        // The common case: the next numbers of a device whose readings come in order.
        if (ranges.Count > 0 && ranges[^1] is var newest && first >= newest.First && Joins(newest.Last, first))
        {
            if (last > newest.Last)
                ranges[^1] = (newest.First, last);
            return;
        }
        var from = IndexOfLastStartingAtOrBefore(first);
        if (from < 0 || !Joins(ranges[from].Last, first))
            from++;
        var to = from;
        while (to < ranges.Count && Joins(last, ranges[to].First))
        {
            first = Math.Min(first, ranges[to].First);
            last = Math.Max(last, ranges[to].Last);
            to++;
        }
        ranges.RemoveRange(from, to - from);
        ranges.Insert(from, (first, last));
    }

    /// <summary>Forgets the lowest ranges beyond the newest <paramref name="keep"/>.</summary>
    public void Trim(int keep)
    {
        if (ranges.Count > keep)
            ranges.RemoveRange(0, ranges.Count - keep);
    }

    /// <summary>Whether nothing lies between the end of one range and the start of another that begins no earlier.</summary>
    static bool Joins(ulong last, ulong first) => first <= last || first - last == 1;

    int IndexOfLastStartingAtOrBefore(ulong value)
    {
        int low = 0,
            high = ranges.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ranges[middle].First <= value)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }
}
