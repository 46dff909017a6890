namespace ThermalStreaming.Forwarding;

/// <summary>
/// The stored sequence numbers of one stream. Belongs to its <see cref="StoredReadings"/>, which alone changes it. Not thread-safe.
/// </summary>
sealed class StoredStream(StreamKey key, DeviceStreams device)
{
    /// <summary>
    /// Bytes of memory that a device's only stream takes besides texts, ranges and fingerprints: measured with 20,000 devices, rounded up.
    /// </summary>
    const int FixedBytes = 550;

    List<ClaimedRun>? claims;

    public StreamKey Key { get; } = key;

    /// <summary>All streams of the same device.</summary>
    public DeviceStreams Device { get; } = device;

    /// <summary>Index in the list of its device.</summary>
    public int Place { get; set; }

    /// <summary>Stands for the stream in the entries of the ledger's file.</summary>
    public int Number { get; set; }

    /// <summary>The stored numbers.</summary>
    public RangeSet Stored { get; } = new();

    /// <summary>Fingerprints of some stored or claimed readings; null when none is known.</summary>
    public Fingerprints? Fingerprints { get; private set; }

    /// <summary>Orders streams by their last use: the larger, the later.</summary>
    public long LastUsed { get; set; }

    /// <summary>Whether a slot is about to store readings of this stream.</summary>
    public bool IsClaimed => claims is { Count: > 0 };

    /// <summary>What was claimed last; null while nothing is claimed.</summary>
    public ClaimedRun? NewestRun => claims is { Count: > 0 } ? claims[^1] : null;

    /// <summary>What the stream takes now.</summary>
    public StreamSize Size
    {
        get
        {
            var fingerprints = Fingerprints?.Bytes ?? 0;
            var bytes = FixedBytes + 2L * (Key.BootId.Length + Key.DeviceId.Length) + 16L * Stored.Count + fingerprints;
            return new StreamSize(bytes, Stored.Count, fingerprints);
        }
    }

    /// <summary>Keeps the fingerprints of consecutive readings from this number on.</summary>
    public void Keep(ulong first, ReadOnlySpan<uint> fingerprints)
    {
        if (fingerprints.IsEmpty)
            return;
        Fingerprints ??= new Fingerprints(first);
        for (var i = 0; i < fingerprints.Length; i++)
            Fingerprints.Set(first + (ulong)i, fingerprints[i]);
    }

    /// <summary>The claim that holds any number of the range, if there is one.</summary>
    public LedgerClaim? FindClaim(ulong first, ulong last)
    {
        if (claims is null)
            return null;
        foreach (var run in claims)
        {
            if (run.First <= last && run.Last >= first)
                return run.Claim;
        }
        return null;
    }

    public void AddClaim(ClaimedRun run) => (claims ??= []).Add(run);

    public void RemoveClaim(LedgerClaim claim)
    {
        // A predicate would be an object for each reading.
        for (var i = claims?.Count - 1 ?? -1; i >= 0; i--)
        {
            if (claims![i].Claim == claim)
                claims.RemoveAt(i);
        }
    }
}
