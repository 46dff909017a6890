namespace ThermalStreaming.Readings;

/// <summary>
/// The identity of readings that came without boot id and sequence: where they were first stored. They keep it for good, in dead letters
/// and when they are taken in again, so a row that comes a second time can be told from a new one.
/// </summary>
/// <param name="BootId">Stands in the row as <c>boot_id</c>.</param>
/// <param name="FirstSequence">Number of the first reading of a payload; the others follow in order.</param>
public sealed record AssignedIdentity(string BootId, ulong FirstSequence)
{
    /// <summary>How such a boot id begins.</summary>
    public const string Prefix = "journal-";

    /// <summary>The boot id of what is first stored in the journal of that epoch; its offsets are the sequence numbers.</summary>
    public static string BootIdOf(string epoch) => Prefix + epoch;
}
