namespace ThermalStreaming.Sensors.Tests;

/// <summary>
/// A device on a <see cref="SimulatedBus"/>. What a driver must not do, by the data sheet, is refused as the real device refuses it, and
/// noted in <see cref="Violations"/> where a correct driver never does it.
/// </summary>
abstract class SimulatedDevice
{
    readonly List<string> violations = [];

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (violations)
                return [.. violations];
        }
    }

    /// <summary>Not on the bus: it acknowledges nothing.</summary>
    public bool Unplugged { get; set; }

    /// <summary>The error number that each transfer with it gives; 0: none.</summary>
    public int Error { get; set; }

    /// <summary>The next so many answers have a flipped bit.</summary>
    public int Garbled { get; set; }

    /// <summary>Every answer of so many bytes has a flipped bit; 0: none.</summary>
    public int GarbledLength { get; set; }

    public abstract void Write(ReadOnlySpan<byte> bytes);

    public abstract byte[] Read(int count);

    /// <summary>With a repeated start: no time passes in between.</summary>
    public virtual byte[] WriteRead(ReadOnlySpan<byte> bytes, int count)
    {
        Write(bytes);
        return Read(count);
    }

    protected void Violation(string text)
    {
        lock (violations)
            violations.Add(text);
    }

    public static IOException NotAcknowledged() => new("Error 121 (Remote I/O error) performing I2C data transfer.");
}
