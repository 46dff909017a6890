namespace ThermalStreaming.Readings;

/// <summary>The facts about a payload that are not in its bytes.</summary>
/// <param name="DeviceId">The topic's device.</param>
/// <param name="Kind">The topic's kind.</param>
/// <param name="ReceivedAt">When it arrived: the time of readings that carry none.</param>
/// <param name="Assigned">The identity of readings that carry none; null while they are not stored.</param>
sealed record PayloadOrigin(string DeviceId, ReadingKind Kind, DateTimeOffset ReceivedAt, AssignedIdentity? Assigned)
{
    byte[]? quotedDeviceId;

    /// <summary>As JSON.</summary>
    public byte[] QuotedDeviceId => quotedDeviceId ??= RowText.Quoted(DeviceId);

    /// <summary>The identity of a reading that came without one.</summary>
    public ReadingIdentity Identity(int index) =>
        Assigned is null ? new(DeviceId, "", Kind, 0) : new(DeviceId, Assigned.BootId, Kind, Assigned.FirstSequence + (ulong)index);
}
