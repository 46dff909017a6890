using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>Joins consecutive numbers of a message's readings into runs; nearly every message is one run.</summary>
static class ReadingRuns
{
    /// <summary>The identities of a message's readings, in order. A reading that is not numbered is a run of its own.</summary>
    public static (ReadingIdentity First, ulong Count)[] Of(Payload payload)
    {
        List<(ReadingIdentity First, ulong Count)>? earlier = null;
        var (first, count) = (payload.Identity(0), 1UL);
        for (var i = 1; i < payload.Count; i++)
        {
            var next = payload.Identity(i);
            // Nothing follows the highest number: 0 begins a run of its own.
            if (
                first.IsComplete
                && next.Sequence == first.Sequence + count
                && next.Sequence > first.Sequence
                && next.DeviceId == first.DeviceId
                && next.BootId == first.BootId
            )
            {
                count++;
                continue;
            }
            (earlier ??= []).Add((first, count));
            (first, count) = (next, 1);
        }
        return earlier is null ? [(first, count)] : [.. earlier, (first, count)];
    }

    /// <summary>Fingerprint of each reading.</summary>
    public static uint[] Fingerprints(Payload payload)
    {
        var fingerprints = new uint[payload.Count];
        for (var i = 0; i < fingerprints.Length; i++)
            fingerprints[i] = payload.Fingerprint(i);
        return fingerprints;
    }

    /// <summary>Whether a message names a reading twice.</summary>
    public static bool Overlap((ReadingIdentity First, ulong Count)[] runs)
    {
        if (runs.Length == 1)
            return false;
        var seen = new Dictionary<(string, string), RangeSet>();
        foreach (var (first, count) in runs)
        {
            if (!first.IsComplete)
                continue;
            if (!seen.TryGetValue((first.DeviceId, first.BootId), out var ranges))
                seen[(first.DeviceId, first.BootId)] = ranges = new RangeSet();
            if (ranges.Overlaps(first.Sequence, first.Sequence + count - 1))
                return true;
            ranges.Add(first.Sequence, first.Sequence + count - 1);
        }
        return false;
    }
}
