namespace ThermalStreaming.Journal;

/// <summary>Writes groups to the segment files: each with one write and one fsync. For the writer thread only.</summary>
/// <param name="environment">The journal.</param>
/// <param name="segments">The journal's files.</param>
/// <param name="removal">Deletes a new segment that could not be written.</param>
/// <param name="capacity">Says how much padding may take.</param>
/// <param name="openBefore">Milliseconds for which the journal had been open in its life, before it was opened now.</param>
sealed class SegmentWriter(JournalEnvironment environment, SegmentSet segments, SegmentRemoval removal, Capacity capacity, long openBefore)
    : IDisposable
{
    static readonly TimeSpan MarkInterval = TimeSpan.FromSeconds(10);

    readonly long openedAt = environment.Clock.GetTimestamp();
    ActiveFile? active;

    long OpenMilliseconds => openBefore + (long)environment.Clock.GetElapsedTime(openedAt).TotalMilliseconds;

    long WallMilliseconds => environment.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Makes a group durable and shows it to readers.</summary>
    /// <returns>Offset of its first reading.</returns>
    /// <exception cref="IOException">The disk refused. Nothing of the group is stored, and it may be written again.</exception>
    public long Write(AppendGroup group)
    {
        var place = segments.PlaceFor(group);
        group.SetFirst(place.First, environment.Epoch);
        if (place.Mode == AppendMode.NewSegment)
            BeginSegment(group, place);
        else
            Extend(group, place);
        return place.First;
    }

    /// <summary>After the writer has ended.</summary>
    public void Dispose() => active?.Dispose();

    void Extend(AppendGroup group, AppendPlace place)
    {
        var last = place.Last;
        var withHeader = place.Mode == AppendMode.OverHeader;
        TimeMark? time = null;
        if (!withHeader && OpenMilliseconds is var open && open - last.Marks[^1].OpenMilliseconds >= MarkInterval.TotalMilliseconds)
            time = new TimeMark(place.First, WallMilliseconds, open);
        var withOffset = !withHeader && last.Size >= last.MarkDueAt;
        var position = withHeader ? 0 : last.Size;
        var mayGrow = capacity.RoomBehind(group.Length, segments.SizeBytes);
        var bytes = withHeader
            ? group.WithHeader(last.Header)
            : group.WithMarks(time, withOffset ? (place.First, environment.Epoch) : null, position, mayGrow);
        try
        {
            active ??= new ActiveFile(environment.Disk, environment.Disk.OpenFile(last.Path, create: false));
            active.Write(bytes, position, last.Size);
        }
        catch (IOException) when (withHeader || active is { IsInDoubt: true })
        {
            segments.BeginNew();
            throw;
        }

        var size = position + bytes.Length;
        segments.Extend(place, size, group.Count, time, withHeader || withOffset || group.HasMarks ? MarkDueAt(group, size) : null);
    }

    void BeginSegment(AppendGroup group, AppendPlace place)
    {
        var header = new SegmentHeader(environment.Epoch, place.First, place.Last.End, WallMilliseconds, OpenMilliseconds);
        var path = Path.Combine(environment.Directory, Segment.FileName(place.First));
        var bytes = group.WithHeader(header);
        ActiveFile begun;
        try
        {
            begun = ActiveFile.Begin(environment.Disk, path, bytes);
        }
        catch (IOException)
        {
            removal.TryDelete(path);
            throw;
        }

        active?.Dispose();
        active = begun;
        segments.Add(
            new Segment(path, header)
            {
                Size = bytes.Length,
                FileBytes = bytes.Length,
                End = place.First + group.Count,
                MarkDueAt = MarkDueAt(group, bytes.Length),
            }
        );
    }

    static long MarkDueAt(AppendGroup group, long size) => size - group.BytesBehindMark + AppendGroup.MarkEveryBytes;
}
