namespace ThermalStreaming.Forwarding;

/// <summary>
/// Readings that a slot is about to append to its journal. Until the claim ends, no other slot stores them or counts them as stored.
/// </summary>
/// <param name="slot">Name of the slot.</param>
/// <param name="epoch">Identity of its journal.</param>
/// <param name="from">No claimed reading has a lower offset in that journal.</param>
/// <param name="owner">The process, for people: <c>process 7 on host pi</c>.</param>
sealed class LedgerClaim(string slot, string epoch, long from, string owner)
{
    public string Slot { get; } = slot;

    public string Epoch { get; } = epoch;

    public long From { get; } = from;

    public string Owner { get; } = owner;

    public List<ClaimedRun> Runs { get; } = [];
}
