namespace ThermalStreaming.Readings;

/// <summary>
/// The identity of readings that came without boot id and sequence: where they were first stored. They keep it permanently, in dead letters
/// and when they are taken in again, so a repeated row can be told from a new one.
/// </summary>
/// <param name="BootId">Stands in the row as <c>boot_id</c>.</param>
/// <param name="FirstSequence">Number of the first reading of a payload; the others follow in order.</param>
public sealed record AssignedIdentity(string BootId, ulong FirstSequence)
{
    /// <summary>How such a boot id begins.</summary>
    public const string Prefix = "journal-";

    /// <summary>The boot id of readings first stored in the journal of that epoch; the journal's offsets are their sequence
    /// numbers.</summary>
    public static string BootIdOf(string epoch) => Prefix + epoch;
}
