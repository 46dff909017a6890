using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>A BME680 or BME688 as its data sheet describes it, with the calibration of the worked example.</summary>
sealed class SimulatedBme68x : SimulatedDevice
{
    static readonly int[] Cycles = [0, 1, 2, 4, 8, 16, 16, 16];

    readonly ManualClock clock;
    readonly byte[] registers = new byte[256];
    readonly bool isHigh;
    byte pointer;
    long measuringUntil = -1;

    public SimulatedBme68x(ManualClock clock, bool isHigh = false)
    {
        this.clock = clock;
        this.isHigh = isHigh;
        registers[0xD0] = 0x61;
        registers[0xF0] = (byte)(isHigh ? 1 : 0);
        Calibrate();
        PowerDip();
    }

    public int Temperature { get; set; } = 501_240;

    public int Pressure { get; set; } = 353_485;

    public int Humidity { get; set; } = 19_019;

    public int GasAdc { get; set; } = 600;

    public int GasRange { get; set; } = 6;

    public bool IsHeaterStable { get; set; } = true;

    public byte ChipId
    {
        set => registers[0xD0] = value;
    }

    public int Measurements { get; private set; }

    /// <summary>
    /// Measurements that were begun with everything skipped: a driver that trusts its memory does that after a power dip.
    /// </summary>
    public int Empty { get; private set; }

    public byte this[byte register] => registers[register];

    /// <summary>All control registers are 0, and all results skipped.</summary>
    public void PowerDip()
    {
        Array.Clear(registers, 0x1D, 0x8A - 0x1D);
        measuringUntil = -1;
        Results(0x80000, 0x80000, 0x8000);
    }

    public void ClearCalibration() => Array.Clear(registers, 0x8A, 0xA1 - 0x8A);

    void Calibrate()
    {
        Words(0x8A, 26_469);
        registers[0x8C] = 3;
        Words(0x8E, 36_673, -10_515);
        registers[0x92] = 88;
        Words(0x94, 7_310, -129);
        (registers[0x98], registers[0x99]) = (46, 30);
        Words(0x9C, -3_177, -2_379);
        registers[0xA0] = 30;
        // h2 1029 and h1 676 share E2.
        (registers[0xE1], registers[0xE2], registers[0xE3]) = (1029 >> 4, (1029 & 15) << 4 | 676 & 15, 676 >> 4);
        (registers[0xE4], registers[0xE5], registers[0xE6], registers[0xE7], registers[0xE8]) = (0, 45, 20, 120, unchecked((byte)-100));
        Words(0xE9, 26_041, -24_754);
        (registers[0xED], registers[0xEE]) = (unchecked((byte)-30), 18);
        (registers[0x00], registers[0x02], registers[0x04]) = (48, 1 << 4, 0);
    }

    void Words(byte at, params int[] values)
    {
        foreach (var value in values)
        {
            registers[at++] = (byte)value;
            registers[at++] = (byte)(value >> 8);
        }
    }

    void Results(int pressure, int temperature, int humidity)
    {
        (registers[0x1F], registers[0x20], registers[0x21]) = ((byte)(pressure >> 12), (byte)(pressure >> 4), (byte)(pressure << 4));
        (registers[0x22], registers[0x23], registers[0x24]) = (
            (byte)(temperature >> 12),
            (byte)(temperature >> 4),
            (byte)(temperature << 4)
        );
        (registers[0x25], registers[0x26]) = ((byte)(humidity >> 8), (byte)humidity);
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        Finish();
        pointer = bytes[0];
        for (var i = 0; i + 1 < bytes.Length; i += 2)
            Set(bytes[i], bytes[i + 1]);
    }

    void Set(byte register, byte value)
    {
        if (register == 0xE0 && value == 0xB6)
        {
            PowerDip();
            return;
        }
        if (measuringUntil >= 0)
        {
            // Control writes are ignored meanwhile.
            Violation($"write to {register:x2} while measuring");
            return;
        }
        registers[register] = value;
        if (register != 0x74 || (value & 3) != 1)
            return;
        Measurements++;
        var milliseconds = (Cycles[value >> 5] + Cycles[value >> 2 & 7] + Cycles[registers[0x72] & 7]) * 1.963 + 4 * 0.477 + 1;
        if (value >> 5 == 0)
            Empty++;
        if (Heats)
            milliseconds += 5 * 0.477 + (registers[0x64] & 63) * (1 << 2 * (registers[0x64] >> 6));
        measuringUntil = clock.GetTimestamp() + (long)(milliseconds * TimeSpan.TicksPerMillisecond);
        registers[0x1D] = 0x20;
    }

    bool Heats => (registers[0x71] & (isHigh ? 0x20 : 0x10)) != 0 && (registers[0x70] & 0x08) == 0;

    void Finish()
    {
        if (measuringUntil < 0 || clock.GetTimestamp() < measuringUntil)
            return;
        measuringUntil = -1;
        var control = registers[0x74];
        Results(
            (control >> 2 & 7) == 0 ? 0x80000 : Pressure,
            control >> 5 == 0 ? 0x80000 : Temperature,
            (registers[0x72] & 7) == 0 ? 0x8000 : Humidity
        );
        var gas = GasAdc << 6 | (Heats ? 0x20 : 0) | (Heats && IsHeaterStable ? 0x10 : 0) | GasRange;
        var at = isHigh ? 0x2C : 0x2A;
        (registers[at], registers[at + 1]) = ((byte)(gas >> 8), (byte)gas);
        registers[0x74] = (byte)(control & ~3);
        registers[0x1D] = 0x80;
    }

    public override byte[] Read(int count)
    {
        Finish();
        return registers[pointer..(pointer + count)];
    }
}
