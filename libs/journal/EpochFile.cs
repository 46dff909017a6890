using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>The file that holds a journal's identity.</summary>
static class EpochFile
{
    public const string Name = "epoch";

    public static string Text(ulong epoch) => epoch.ToString("x16", CultureInfo.InvariantCulture);

    public static bool TryParseText(string text, out ulong epoch)
    {
        epoch = 0;
        return text.Length == 16 && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out epoch);
    }

    public static byte[] ToBytes(ulong epoch) => SmallFile.Seal(Text(epoch));

    public static ulong? Parse(ReadOnlySpan<byte> bytes) =>
        SmallFile.Open(bytes) is { } text && TryParseText(text, out var epoch) ? epoch : null;
}
