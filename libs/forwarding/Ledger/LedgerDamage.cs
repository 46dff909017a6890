namespace ThermalStreaming.Forwarding;

/// <summary>Bytes of a ledger's file that are not entries, although they were read twice without an error.</summary>
/// <param name="Position">Where the first of them is.</param>
/// <param name="Bytes">How many there are.</param>
/// <param name="IsTail">Whether they end the file: then a kill or a power cut may have cut a write short.</param>
readonly record struct LedgerDamage(long Position, long Bytes, bool IsTail);
