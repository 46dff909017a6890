using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for a DS18B20 that Linux has found on a 1-Wire bus. The kernel makes it measure when its file is read, and says whether the
/// checksum was right. The driver recognises a broken wire or a lost supply behind a right checksum.
/// </summary>
/// <param name="bus">Reads the sensor.</param>
/// <param name="device">Its name on the bus, for example <c>28-0316a2794aff</c>.</param>
/// <param name="clock">Where time comes from.</param>
sealed class Ds18b20(OneWireBus bus, string device, TimeProvider clock) : SensorDriver($"ds18b20@w1:{device}")
{
    /// <summary>Its value between power-on and its first measurement, in thousandths of °C.</summary>
    const int PowerOn = 85_000;

    /// <summary>A measurement this close to 85 °C makes 85 °C credible.</summary>
    const double Near = 5;

    const int ScratchpadLength = 9;

    double? previous;

    public override string? BusProblem => bus.Problem;

    public override TimeSpan Interval => TimeSpan.FromSeconds(10);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        previous = null;
        var outcome = await MeasureAsync(cancellationToken);
        // Without data the start succeeds too: its purpose is the first measurement after a power-on.
        if (outcome.Error is { Kind: not SensorErrorKind.NoData } error)
            return error;
        Description = $"DS18B20, {device}";
        return null;
    }

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        if (!(await bus.ReadAsync(Id, device, cancellationToken)).Has(out var text, out var error))
            return error;
        if (!Parse(text).Has(out var thousandths, out error))
            return error;
        var celsius = thousandths / 1_000.0;
        if (celsius is < -55 or > 125)
            return Error(SensorErrorKind.Implausible, string.Create(CultureInfo.InvariantCulture, $"{celsius:0.0} °C; check its wires"));
        if (thousandths == PowerOn && !(previous is { } before && Math.Abs(before - celsius) <= Near))
            return Error(
                SensorErrorKind.NoData,
                "85 °C is its value before the first measurement: its supply is too weak or drops; give it 3.3 V on its own wire"
            );
        previous = celsius;
        return new Measurement
        {
            Sensor = Id,
            Timestamp = clock.GetTimestamp(),
            MaxAge = TimeSpan.FromSeconds(35),
            // Its steps of 1/16 °C are so wide that it rightly repeats itself for hours.
            Raw = null,
            TemperatureC = celsius,
        };
    }

    /// <summary>
    /// Two lines: <c>50 05 4b 46 7f ff 0c 10 1c : crc=1c YES</c>, then the same bytes and <c>t=85000</c>.
    /// </summary>
    /// <returns>Thousandths of °C.</returns>
    Outcome<int> Parse(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var at = lines.Length < 2 ? -1 : lines[1].IndexOf("t=", StringComparison.Ordinal);
        if (
            at < 0
            || !int.TryParse(lines[1].AsSpan(at + 2), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var thousandths)
        )
            return Error(SensorErrorKind.NoData, "the kernel has no value from it; check its wires and the 4.7 kΩ resistor");
        var bytes = new byte[ScratchpadLength];
        var parts = lines[0].Split(' ');
        var isWhole = parts.Length > ScratchpadLength;
        for (var i = 0; isWhole && i < bytes.Length; i++)
            isWhole = byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i]);
        if (!isWhole || !lines[0].EndsWith("YES", StringComparison.Ordinal) || Checksum(bytes.AsSpan(0, 8)) != bytes[8])
            return Error(
                SensorErrorKind.Checksum,
                "the checksum of its answer is wrong; shorten the wires, check the 4.7 kΩ resistor if this comes often"
            );
        // Zeros have a right checksum, and a data line at ground reads as zeros.
        return bytes.AsSpan().ContainsAnyExcept((byte)0)
            ? thousandths
            : Error(SensorErrorKind.Implausible, "its data line is at ground; check its wires");
    }

    /// <summary>CRC-8 of 1-Wire: polynomial x⁸ + x⁵ + x⁴ + 1, reflected, start 0.</summary>
    internal static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte crc = 0;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (byte)((crc & 1) != 0 ? crc >> 1 ^ 0x8C : crc >> 1);
        }
        return crc;
    }

    SensorError Error(SensorErrorKind kind, string text) => new(Id, kind, text);
}
