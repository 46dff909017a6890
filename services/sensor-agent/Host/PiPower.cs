using System.Buffers.Text;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Whether the supply of a Raspberry Pi is too low, and whether its processor is throttled because of that or of heat. Read from files of
/// /sys, which every container may read; <c>vcgencmd</c> would need the device /dev/vcio. Other machines do not have these files. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// The kernel's driver raspberrypi-hwmon asks the firmware every 2 s, and shows under-voltage since the last time as the alarm of the
/// sensor <c>rpi_volt</c>. The firmware driver shows all bits in <c>get_throttled</c>; where both drivers are present, it notes once in the
/// kernel's log that this file is deprecated. Without a device there is no other way to read the remaining bits.
/// </remarks>
sealed class PiPower : IDisposable
{
    const uint UnderVoltageNow = 0x1,
        UnderVoltageBefore = 0x1_0000,
        Slowed = 0x2 | 0x4 | 0x8;

    readonly KernelFile? alarm;
    readonly KernelFile? throttled;

    public PiPower(string sysDirectory)
    {
        alarm = Open(FindAlarm(sysDirectory));
        throttled = Open(FindThrottled(sysDirectory));
    }

    /// <summary>Whether the supply was below 4.63 V within the last seconds; null if this machine does not tell.</summary>
    public bool? UnderVoltage() =>
        alarm?.ReadNumber() is { } number ? number != 0
        : Throttled() is { } bits ? (bits & UnderVoltageNow) != 0
        : null;

    /// <summary>The bits of <c>vcgencmd get_throttled</c>; null if this machine does not tell.</summary>
    public uint? Throttled() =>
        throttled is not null
        && throttled.Read() is { IsEmpty: false } text
        && Utf8Parser.TryParse(text.StartsWith("0x"u8) ? text[2..] : text, out uint bits, out _, 'x')
            ? bits
            : null;

    /// <summary>The step <c>power</c> of <c>check</c>.</summary>
    public static CheckResult Check(string sysDirectory)
    {
        using var power = new PiPower(sysDirectory);
        const string fix =
            "Use the supply that is made for this Pi (Pi 5: 5 V, 5 A) and a short, thick USB cable; give USB devices their own supply";
        var bits = power.Throttled() ?? 0;
        return power.UnderVoltage() switch
        {
            true => CheckResult.Failed(
                "under-voltage: the supply is below 4.63 V",
                "The power supply or its cable is too weak. The Pi slows down, and may write garbage to its card or restart.",
                fix
            ),
            null => CheckResult.Ok("not a Raspberry Pi, or its kernel does not tell"),
            _ when (bits & UnderVoltageBefore) != 0 => CheckResult.Warning(
                "the supply was below 4.63 V before",
                "The power supply or its cable is too weak when the Pi is busy.",
                fix
            ),
            _ when (bits & Slowed) != 0 => CheckResult.Warning(
                $"the processor is slowed (get_throttled 0x{bits:x})",
                "It is too hot.",
                "Give the Pi air, a heat sink or a fan"
            ),
            _ => CheckResult.Ok("the supply is good"),
        };
    }

    static KernelFile? Open(string? path) => path is null ? null : new KernelFile(path, 32);

    static string? FindAlarm(string sysDirectory) =>
        Directories(Path.Combine(sysDirectory, "class/hwmon"), "hwmon*")
            .Where(sensor => NameOf(sensor) == "rpi_volt")
            .Select(sensor => Path.Combine(sensor, "in0_lcrit_alarm"))
            .FirstOrDefault(File.Exists);

    // The device is called soc:firmware on models up to the Pi 4; its driver's directory names it on any model.
    static string? FindThrottled(string sysDirectory) =>
        Directories(Path.Combine(sysDirectory, "bus/platform/drivers/raspberrypi-firmware"), "*")
            .Append(Path.Combine(sysDirectory, "devices/platform/soc/soc:firmware"))
            .Select(device => Path.Combine(device, "get_throttled"))
            .FirstOrDefault(File.Exists);

    static string[] Directories(string directory, string pattern)
    {
        try
        {
            return Directory.GetDirectories(directory, pattern);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    static string NameOf(string sensor)
    {
        try
        {
            return File.ReadAllText(Path.Combine(sensor, "name")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    public void Dispose()
    {
        alarm?.Dispose();
        throttled?.Dispose();
    }
}
