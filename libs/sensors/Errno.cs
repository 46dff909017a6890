using System.Globalization;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Sensors;

/// <summary>Linux error numbers of I²C adapters, and how to get them from an exception.</summary>
static class Errno
{
    public const int NoEntry = 2,
        NoSuchAddress = 6,
        Access = 13,
        NoDevice = 19,
        TimedOut = 110,
        RemoteIo = 121;

    /// <summary>
    /// System.Device.Gpio puts the number only into the text ("Error 121 (Remote I/O error) performing I2C data transfer."). If the text
    /// has none, the thread's last error counts: call this in the catch block.
    /// </summary>
    public static int Of(Exception e)
    {
        const string prefix = "Error ";
        var at = e.Message.IndexOf(prefix, StringComparison.Ordinal);
        if (at < 0)
            return Marshal.GetLastPInvokeError();
        var digits = e.Message.AsSpan(at + prefix.Length);
        var length = 0;
        while (length < digits.Length && char.IsAsciiDigit(digits[length]))
            length++;
        return int.TryParse(digits[..length], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : Marshal.GetLastPInvokeError();
    }
}
