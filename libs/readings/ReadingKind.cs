namespace ThermalStreaming.Readings;

/// <summary>What a reading is of. The number is part of the on-disk format of spools and ledgers.</summary>
public enum ReadingKind : byte
{
    /// <summary>Thermal and environmental sensors of one machine.</summary>
    Thermal = 1,

    /// <summary>One solar inverter of a fleet.</summary>
    Inverter = 2,
}

/// <summary>What makes a reading the same reading wherever it turns up again.</summary>
/// <param name="DeviceId">Name of the device.</param>
/// <param name="BootId">One start of its agent; "" when the sender gave none, and then the reading cannot be recognised again.</param>
/// <param name="Kind">Each kind is numbered by itself.</param>
/// <param name="Sequence">1, 2, 3, … per device, boot and kind; 0 when the sender gave none.</param>
public readonly record struct ReadingIdentity(string DeviceId, string BootId, ReadingKind Kind, ulong Sequence)
{
    /// <summary>False for senders that number nothing (an ESP32, <c>mosquitto_pub</c>): every arrival is then a new reading.</summary>
    public bool IsComplete => Sequence > 0 && BootId.Length > 0;
}
