using System.Globalization;
using System.Text;

namespace ThermalStreaming.Journal;

/// <summary>What the cursor file says.</summary>
/// <param name="Epoch">Identity of the journal it belongs to.</param>
/// <param name="Committed">First offset that the sink has not committed.</param>
/// <param name="Next">An offset that had not been given out when the file was written; at least this much must be skipped after damage.</param>
readonly record struct CursorFile(ulong Epoch, long Committed, long Next)
{
    /// <summary>Written with every fsync that there is.</summary>
    public const string Name = "cursor";

    /// <summary>Written more often and without any, so a power cut may spoil it; counts only where it says more than the other.</summary>
    public const string RecentName = "cursor.recent";

    public byte[] ToBytes() => SmallFile.Seal(string.Create(CultureInfo.InvariantCulture, $"{EpochFile.Text(Epoch)} {Committed:D20} {Next:D20}"));

    public static CursorFile? Parse(ReadOnlySpan<byte> bytes)
    {
        var parts = SmallFile.Open(bytes)?.Split(' ');
        return parts is { Length: 3 } && EpochFile.TryParseText(parts[0], out var epoch)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var committed)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var next)
            ? new CursorFile(epoch, committed, next)
            : null;
    }
}

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

/// <summary>One line of text that ends with its own CRC-32C in hex, so that <c>cat</c> shows it and a changed byte is noticed.</summary>
public static class SmallFile
{
    const int TrailerLength = 10, MostBytes = 4096;

    /// <param name="text">ASCII, at most 4,086 characters, no line break.</param>
    public static byte[] Seal(string text)
    {
        var crc = Crc32C.Compute(Encoding.ASCII.GetBytes(text));
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{text} {crc:x8}\n"));
    }

    /// <returns>The text, or null if it is not what was sealed.</returns>
    public static string? Open(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= TrailerLength || bytes.Length > MostBytes)
            return null;
        var text = Encoding.ASCII.GetString(bytes[..^TrailerLength]);
        return bytes.SequenceEqual(Seal(text)) ? text : null;
    }
}

/// <summary>
/// A sealed line that is kept twice, in a file and in <c>{file}.copy</c>: what changes a byte of one leaves the other. For what nothing else could tell again.
/// </summary>
public static class TwinFile
{
    const string CopyExtension = ".copy";

    /// <summary>Reads the line, and mends the one of the two that does not say it: damaged, missing, or older because of a crash between the two.</summary>
    /// <param name="path">The file.</param>
    /// <param name="damaged">Those of the two that were not what was sealed.</param>
    /// <returns>Null when there is none, or both are damaged.</returns>
    /// <exception cref="IOException">One cannot be read now, which says nothing about what is in it.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static string? Load(string path, out IReadOnlyList<string> damaged)
    {
        var bad = new List<string>();
        damaged = bad;
        var (text, copy) = (Read(path), Read(path + CopyExtension));
        var line = text ?? copy;
        if (line is not null && text != copy)
        {
            try
            {
                Save(path, line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // One is enough, and the next call mends the other.
            }
        }
        return line;

        string? Read(string file)
        {
            try
            {
                // Only what is wrong when it is read again is damaged.
                var sealedText = SmallFile.Open(File.ReadAllBytes(file)) ?? SmallFile.Open(File.ReadAllBytes(file));
                if (sealedText is null)
                    bad.Add(file);
                return sealedText;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }
    }

    /// <summary>Returns when both are on disk; a crash leaves the old line or the new one in each.</summary>
    /// <exception cref="IOException">The disk refused it.</exception>
    public static void Save(string path, string text)
    {
        DurableFile.Replace(path, SmallFile.Seal(text));
        DurableFile.Replace(path + CopyExtension, SmallFile.Seal(text));
    }
}
