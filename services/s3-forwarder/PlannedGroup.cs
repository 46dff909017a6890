namespace ThermalStreaming.S3Forwarder;

/// <summary>The objects of one group: one kind, date and fate.</summary>
sealed record PlannedGroup(GroupKey Key, IReadOnlyList<PlannedPart> Parts)
{
    /// <summary>
    /// Splits <paramref name="offsets"/> into at most <paramref name="files"/> parts whose sizes differ by at most one; none is empty, and
    /// the order stays.
    /// </summary>
    public static PlannedGroup Split(GroupKey key, List<long> offsets, int files)
    {
        var count = Math.Min(files, offsets.Count);
        var parts = new PlannedPart[count];
        for (var i = 0; i < count; i++)
        {
            var from = (int)((long)i * offsets.Count / count);
            var to = (int)((i + 1L) * offsets.Count / count);
            parts[i] = new PlannedPart(i + 1, offsets[from], to - from);
        }
        return new PlannedGroup(key, parts);
    }

    /// <summary>Index of the part that holds a reading of this group.</summary>
    public int PartOf(long offset)
    {
        var index = Parts.Count - 1;
        while (index > 0 && Parts[index].First > offset)
            index--;
        return index;
    }
}
