namespace ThermalStreaming.Forwarding;

/// <summary>What the ledger knows about a slot.</summary>
sealed class LedgerSlot
{
    /// <summary>Identity of the journal that <see cref="Offset"/> belongs to; empty when the ledger has nothing of any journal.</summary>
    public string Epoch { get; set; } = "";

    /// <summary>Every reading of that journal below this offset is in the ledger.</summary>
    public long Offset { get; set; }

    /// <summary>The readings that the slot is about to store; null if there are none.</summary>
    public LedgerClaim? Claim { get; set; }

    /// <summary>The offset from which that journal may hold readings that the ledger does not know.</summary>
    public long UnknownFrom(string epoch)
    {
        var from = Epoch == epoch ? Offset : 0;
        return Claim is { } claim && claim.Epoch == epoch ? Math.Min(from, claim.From) : from;
    }
}
