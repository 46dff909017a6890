namespace ThermalStreaming.Forwarding;

/// <summary>Another process, or a slot of this one, holds the ledger for longer than anything it does there takes.</summary>
sealed class LedgerHeldException(string message) : IOException(message);
