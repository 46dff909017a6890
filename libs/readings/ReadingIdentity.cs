namespace ThermalStreaming.Readings;

/// <summary>Identifies a reading wherever it turns up again.</summary>
/// <param name="DeviceId">Name of the device.</param>
/// <param name="BootId">One start of its agent, or the journal that gave the identity (<see cref="AssignedIdentity"/>); "" for a reading
/// that has none yet.</param>
/// <param name="Kind">Each kind is numbered separately.</param>
/// <param name="Sequence">Counts per device, boot and kind, mostly from 1; any number is valid, even 0.</param>
public readonly record struct ReadingIdentity(string DeviceId, string BootId, ReadingKind Kind, ulong Sequence)
{
    /// <summary>False for a reading that came without boot id and sequence and is not stored yet.</summary>
    public bool IsComplete => BootId.Length > 0;
}
