using System.Globalization;
using System.Text;

namespace ThermalStreaming.Journal;

/// <summary>
/// A file of one line of text that ends with the line's CRC-32C in hex: <c>cat</c> shows it, and a changed byte is noticed.
/// </summary>
public static class SmallFile
{
    const int TrailerLength = 10,
        MostBytes = 4096;

    /// <summary>Appends the checksum.</summary>
    /// <param name="text">ASCII, at most 4,086 characters, no line break.</param>
    public static byte[] Seal(string text)
    {
        var crc = Crc32C.Compute(Encoding.ASCII.GetBytes(text));
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{text} {crc:x8}\n"));
    }

    /// <summary>Checks a line.</summary>
    /// <returns>The text without its checksum; null if the checksum is wrong.</returns>
    public static string? Open(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= TrailerLength || bytes.Length > MostBytes)
            return null;
        var text = Encoding.ASCII.GetString(bytes[..^TrailerLength]);
        return bytes.SequenceEqual(Seal(text)) ? text : null;
    }
}
