namespace ThermalStreaming.Forwarding;

/// <summary>Another process, or another slot of this process, holds the ledger's lock for far longer than it needs to.</summary>
sealed class LedgerHeldException(string message) : IOException(message);
