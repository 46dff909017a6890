namespace ThermalStreaming.Readings;

/// <summary>What a reading measures. The number is part of the on-disk format of spools and ledgers.</summary>
public enum ReadingKind : byte
{
    /// <summary>Thermal and environmental sensors of one machine.</summary>
    Thermal = 1,

    /// <summary>One solar inverter of a fleet.</summary>
    Inverter = 2,
}
