namespace ThermalStreaming.Forwarding;

/// <summary>Consecutive readings of a claim. Not thread-safe.</summary>
/// <param name="claim">The claim.</param>
/// <param name="stream">Their stream.</param>
/// <param name="first">Their first number.</param>
/// <param name="last">Their last number, inclusive.</param>
sealed class ClaimedRun(LedgerClaim claim, StoredStream stream, ulong first, ulong last)
{
    public LedgerClaim Claim { get; } = claim;

    public StoredStream Stream { get; } = stream;

    public ulong First { get; } = first;

    public ulong Last { get; private set; } = last;

    /// <summary>Adds readings of the claim if they follow the last one.</summary>
    /// <returns>Whether they do.</returns>
    public bool TryExtend(LedgerClaim claim, ulong first, ulong last)
    {
        if (Claim != claim || first <= Last || first - Last != 1)
            return false;
        Last = last;
        return true;
    }
}
