namespace ThermalStreaming.Sensors.Tests;

/// <summary>
/// A BME280 (BST-BME280-DS001) or BMP280 (BST-BMP280-DS001) as its data sheet describes it, with the calibration of the BMP280's worked
/// example.
/// </summary>
sealed class SimulatedBmx280 : SimulatedDevice
{
    static readonly int[] Samples = [0, 1, 2, 4, 8, 16, 16, 16];

    /// <summary>What ctrl_hum holds counts from the next write of ctrl_meas on.</summary>
    byte humidityInUse;

    readonly TimeProvider clock;
    readonly byte[] registers = new byte[256];
    readonly bool hasHumidity;
    byte pointer;
    long since;
    TimeSpan? startsFor,
        measuresFor;

    public SimulatedBmx280(TimeProvider clock, bool hasHumidity = true)
    {
        this.clock = clock;
        this.hasHumidity = hasHumidity;
        registers[0xD0] = (byte)(hasHumidity ? 0x60 : 0x58);
        Words(0x88, 27_504, 26_435, -1_000, 36_477, -10_685, 3_024, 2_855, 140, -7, 15_500, -14_600, 6_000);
        if (hasHumidity)
        {
            // h4 334 and h5 50 share E5; h6 is signed.
            registers[0xA1] = 75;
            Words(0xE1, 367);
            (registers[0xE3], registers[0xE4], registers[0xE5]) = (0, 334 >> 4, (50 & 15) << 4 | 334 & 15);
            (registers[0xE6], registers[0xE7]) = (50 >> 4, 30);
        }
        PowerDip();
        startsFor = null;
    }

    public int Temperature { get; set; } = 519_888;

    public int Pressure { get; set; } = 415_148;

    public int Humidity { get; set; } = 32_000;

    public byte ChipId
    {
        set => registers[0xD0] = value;
    }

    public int Measurements { get; private set; }

    /// <summary>Measurements that were begun with everything skipped.</summary>
    public int Empty { get; private set; }

    /// <summary>The next measurement is cut off by a power dip.</summary>
    public bool DipsWhileMeasuring { get; set; }

    /// <summary>The next read from this register has a flipped bit.</summary>
    public byte? GarbledOnce { get; set; }

    public byte this[byte register]
    {
        get => registers[register];
        set => registers[register] = value;
    }

    /// <summary>All control registers are 0, all results skipped, and for 2 ms it acknowledges nothing.</summary>
    public void PowerDip()
    {
        Array.Clear(registers, 0xF2, 0xF7 - 0xF2);
        (since, startsFor, measuresFor, humidityInUse) = (clock.GetTimestamp(), TimeSpan.FromMilliseconds(2), null, 0);
        Results(0x80000, 0x80000, 0x8000);
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
        (registers[0xF7], registers[0xF8], registers[0xF9]) = ((byte)(pressure >> 12), (byte)(pressure >> 4), (byte)(pressure << 4));
        (registers[0xFA], registers[0xFB], registers[0xFC]) = (
            (byte)(temperature >> 12),
            (byte)(temperature >> 4),
            (byte)(temperature << 4)
        );
        if (hasHumidity)
            (registers[0xFD], registers[0xFE]) = ((byte)(humidity >> 8), (byte)humidity);
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        Pass();
        pointer = bytes[0];
        if (bytes.Length > 1 && bytes.Length % 2 != 0)
            Violation("a write that is not made of pairs");
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
        if (register is not (0xF2 or 0xF4 or 0xF5) || (register == 0xF2 && !hasHumidity))
            Violation($"write to {register:x2}");
        if (measuresFor is not null)
            Violation($"write to {register:x2} while measuring");
        registers[register] = value;
        if (register != 0xF4)
            return;
        humidityInUse = (byte)(registers[0xF2] & 7);
        if ((value & 3) is not (1 or 2))
            return;
        Measurements++;
        if (value >> 5 == 0)
            Empty++;
        var (t, p, h) = (Samples[value >> 5], Samples[value >> 2 & 7], Samples[humidityInUse]);
        // The longest time of the data sheets, appendix B and 3.8.1.
        var milliseconds = 1.25 + 2.3 * t + (p > 0 ? 2.3 * p + 0.575 : 0) + (h > 0 ? 2.3 * h + 0.575 : 0);
        (since, measuresFor) = (clock.GetTimestamp(), TimeSpan.FromMilliseconds(milliseconds));
        registers[0xF3] |= 0x08;
        if (DipsWhileMeasuring)
            PowerDip();
        DipsWhileMeasuring = false;
    }

    /// <summary>Lets end what has ended by now.</summary>
    void Pass()
    {
        var elapsed = clock.GetElapsedTime(since);
        // No violation: the driver of the other family at this address may ask for the chip's id just now.
        if (elapsed < startsFor)
            throw NotAcknowledged();
        startsFor = null;
        if (elapsed < measuresFor || measuresFor is null)
            return;
        measuresFor = null;
        var control = registers[0xF4];
        Results(
            (control >> 2 & 7) == 0 ? 0x80000 : Pressure,
            control >> 5 == 0 ? 0x80000 : Temperature,
            humidityInUse == 0 ? 0x8000 : Humidity
        );
        registers[0xF4] = (byte)(control & ~3);
        registers[0xF3] &= 0xF7;
    }

    public override byte[] Read(int count)
    {
        Pass();
        if (measuresFor is not null && pointer <= 0xFE && pointer + count > 0xF7)
            Violation("results read while measuring");
        var bytes = registers[pointer..(pointer + count)];
        if (GarbledOnce == pointer)
        {
            bytes[5] ^= 0x04;
            GarbledOnce = null;
        }
        return bytes;
    }
}
