using System.Diagnostics.CodeAnalysis;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Which readings are stored or about to be, as ranges of numbers per stream. Bounded in memory: <see cref="Trim"/> forgets the streams
/// that have been silent longest. A forgotten reading that arrives again is stored again, not lost. Not thread-safe.
/// </summary>
sealed class StoredReadings
{
    /// <summary>Most ranges of one stream; the lowest are forgotten first.</summary>
    const int MaxRangesPerStream = 4096;

    readonly Dictionary<StreamKey, StoredStream> streams = [];
    readonly Dictionary<string, DeviceStreams> devices = new(StringComparer.Ordinal);
    readonly List<StoredStream?> numbered = [];
    readonly HashSet<DeviceStreams> crowded = [];
    long activity;

    /// <summary>Default of <see cref="MaxBytes"/>: room for about 28,000 devices.</summary>
    public const long UsualMaxBytes = 32 << 20;

    /// <summary>Most memory of all streams together, in bytes.</summary>
    public long MaxBytes { get; init; } = UsualMaxBytes;

    /// <summary>Most memory of one device's streams, in bytes: a device that invents boot ids must not displace the others.</summary>
    public long MaxBytesPerDevice { get; init; } = 4 << 20;

    /// <summary>Most streams of one device.</summary>
    public int MaxStreamsPerDevice { get; init; } = 1024;

    /// <summary>Estimate of the memory that all streams take.</summary>
    public long Bytes { get; private set; }

    public int StreamCount => streams.Count;

    /// <summary>Ranges of all streams. Kept, not summed: each group of messages asks for it.</summary>
    public long RangeCount { get; private set; }

    /// <summary>Memory of all fingerprints. Kept, as above.</summary>
    public long FingerprintBytes { get; private set; }

    /// <summary>Streams forgotten so far, by this process and others, because of the bounds.</summary>
    public long Forgotten { get; set; }

    /// <summary>The number that the next new stream gets.</summary>
    public int NextNumber => numbered.Count;

    /// <summary>All streams, longest silent first.</summary>
    public List<StoredStream> ByLastUse => [.. streams.Values.OrderBy(stream => stream.LastUsed)];

    public bool TryFind(in ReadingIdentity identity, [NotNullWhen(true)] out StoredStream? stream) =>
        streams.TryGetValue(new StreamKey(identity), out stream);

    public StoredStream? Numbered(ulong number) => number < (ulong)numbered.Count ? numbered[(int)number] : null;

    /// <summary>Gives a stream its number, and creates the stream if it is new.</summary>
    public StoredStream Define(StreamKey key, int number)
    {
        if (!streams.TryGetValue(key, out var stream))
        {
            if (!devices.TryGetValue(key.DeviceId, out var device))
                devices[key.DeviceId] = device = new DeviceStreams();
            streams[key] = stream = new StoredStream(key, device);
            device.Add(stream);
            Count(stream, default);
            stream.LastUsed = ++activity;
        }
        stream.Number = number;
        while (numbered.Count <= number)
            numbered.Add(null);
        numbered[number] = stream;
        return stream;
    }

    /// <summary>Notes that numbers are stored, both bounds included.</summary>
    public void Include(StoredStream stream, ulong first, ulong last)
    {
        var before = stream.Size;
        stream.Stored.Add(first, last);
        stream.Stored.Trim(MaxRangesPerStream);
        stream.LastUsed = ++activity;
        Count(stream, before);
    }

    /// <summary>Adds consecutive readings to a claim.</summary>
    public static void Claim(LedgerClaim claim, StoredStream stream, ulong first, ulong last)
    {
        if (stream.NewestRun?.TryExtend(claim, first, last) == true)
            return;
        var run = new ClaimedRun(claim, stream, first, last);
        claim.Runs.Add(run);
        stream.AddClaim(run);
    }

    /// <summary>Keeps fingerprints of consecutive readings that are stored or claimed.</summary>
    public void Keep(StoredStream stream, ulong first, ReadOnlySpan<uint> fingerprints)
    {
        var before = stream.Size;
        stream.Keep(first, fingerprints);
        Count(stream, before);
    }

    /// <summary>Ends a claim.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="isStored">Whether its readings are stored now; otherwise they count as unknown.</param>
    public void End(LedgerClaim claim, bool isStored)
    {
        foreach (var run in claim.Runs)
        {
            if (isStored)
                Include(run.Stream, run.First, run.Last);
            run.Stream.RemoveClaim(claim);
        }
    }

    /// <summary>
    /// Forgets streams until a quarter of each bound is free. Only the process that writes the ledger decides, and the file tells the
    /// others, because every process must forget the same streams.
    /// </summary>
    /// <returns>The forgotten streams.</returns>
    public List<StoredStream> Trim()
    {
        var forgotten = new List<StoredStream>();
        foreach (var device in crowded)
        {
            if (device.Streams.Count <= MaxStreamsPerDevice && device.Bytes <= MaxBytesPerDevice)
                continue;
            foreach (var stream in device.Streams.OrderBy(stream => stream.LastUsed).SkipLast(1).ToList())
            {
                if (device.Streams.Count <= MaxStreamsPerDevice * 3 / 4 && device.Bytes <= MaxBytesPerDevice * 3 / 4)
                    break;
                ForgetUnlessClaimed(stream);
            }
        }
        crowded.Clear();
        if (Bytes <= MaxBytes)
            return forgotten;
        foreach (var stream in ByLastUse)
        {
            if (Bytes <= MaxBytes * 3 / 4)
                break;
            ForgetUnlessClaimed(stream);
        }
        return forgotten;

        void ForgetUnlessClaimed(StoredStream stream)
        {
            if (stream.IsClaimed)
                return;
            Forget(stream);
            forgotten.Add(stream);
        }
    }

    /// <summary>Forgets one stream.</summary>
    public void Forget(StoredStream stream)
    {
        streams.Remove(stream.Key);
        numbered[stream.Number] = null;
        stream.Device.Remove(stream);
        Add(stream, default, stream.Size);
        if (stream.Device.Streams.Count == 0)
            devices.Remove(stream.Key.DeviceId);
        Forgotten++;
    }

    /// <summary>Numbers the streams from 0 in the given order.</summary>
    public void Renumber(List<StoredStream> order)
    {
        numbered.Clear();
        foreach (var stream in order)
        {
            stream.Number = numbered.Count;
            numbered.Add(stream);
        }
    }

    /// <summary>Counts how much a stream has grown.</summary>
    void Count(StoredStream stream, StreamSize before)
    {
        Add(stream, stream.Size, before);
        if (stream.Device.Streams.Count > MaxStreamsPerDevice || stream.Device.Bytes > MaxBytesPerDevice)
            crowded.Add(stream.Device);
    }

    void Add(StoredStream stream, StreamSize now, StreamSize before)
    {
        Bytes += now.Bytes - before.Bytes;
        RangeCount += now.Ranges - before.Ranges;
        FingerprintBytes += now.FingerprintBytes - before.FingerprintBytes;
        stream.Device.Bytes += now.Bytes - before.Bytes;
    }
}
