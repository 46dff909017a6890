namespace ThermalStreaming.Forwarding;

/// <summary>The time during which a slot holds the ledger's lock. Disposing releases it.</summary>
readonly struct LedgerSession(Ledger ledger) : IDisposable
{
    /// <inheritdoc cref="Complete(LedgerClaim?)"/>
    public void Complete() => ledger.Complete(null);

    /// <summary>Makes the additions visible to the other slots.</summary>
    /// <param name="claim">The slot's claim, if one was begun.</param>
    /// <exception cref="IOException">The file cannot be used; nothing of it counts.</exception>
    public void Complete(LedgerClaim? claim) => ledger.Complete(claim);

    public void Dispose() => ledger.Leave();
}
