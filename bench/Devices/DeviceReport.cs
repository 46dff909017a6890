using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>Where the simulated devices are, all of them together.</summary>
/// <param name="At">Timestamp of the system's clock.</param>
/// <param name="Taken">Readings taken.</param>
/// <param name="Acknowledged">Of these, acknowledged by the broker.</param>
/// <param name="Sent">Readings sent, repeats included.</param>
/// <param name="Connected">Devices with a connection.</param>
readonly record struct DeviceReport(long At, long Taken, long Acknowledged, long Sent, int Connected)
{
    public string Line => string.Create(CultureInfo.InvariantCulture, $"{At} {Taken} {Acknowledged} {Sent} {Connected}");

    public static DeviceReport Parse(string line)
    {
        var numbers = line.Split(' ').Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        return new DeviceReport(numbers[0], numbers[1], numbers[2], numbers[3], (int)numbers[4]);
    }
}
