using System.Globalization;
using System.Security.Cryptography;

namespace ThermalStreaming.SensorAgent;

/// <summary>How far the replay of a file has come. Immutable.</summary>
/// <param name="BootId">Of all its readings: with their sequence it makes the forwarders recognise one that comes twice.</param>
/// <param name="Prefix">How many bytes of the file's beginning <paramref name="Hash"/> is of: by them the file is recognised.</param>
/// <param name="Hash">SHA-256 of them, hexadecimal.</param>
/// <param name="Byte">Where the next line begins.</param>
/// <param name="Line">How many lines lie before it.</param>
/// <param name="Sequence">How many readings were taken, over all rounds.</param>
/// <param name="Epoch">Of the outbox.</param>
/// <param name="Offset">Of the outbox: all of those readings lie before it.</param>
/// <param name="Mark">
/// Up to where the file was read when <paramref name="MarkHash"/> was made, in bytes; 0: not yet, or by an older version.
/// </param>
/// <param name="MarkHash">SHA-256 of the up to 4,096 bytes before it, hexadecimal: recordings of one device may begin alike.</param>
sealed record ReplayPosition(
    string BootId,
    int Prefix,
    string Hash,
    long Byte,
    long Line,
    ulong Sequence,
    string Epoch,
    long Offset,
    long Mark,
    string MarkHash
)
{
    const int LongestPrefix = 4096;

    static readonly string NoHash = HashOf([]);

    const int HashLength = 64;

    /// <summary>The beginning of a file that was never replayed.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ReplayPosition Begin(string path, string bootId, string epoch, long offset)
    {
        var prefix = ReadPrefix(path, LongestPrefix);
        return new(bootId, prefix.Length, HashOf(prefix), 0, 0, 0, epoch, offset, 0, NoHash);
    }

    /// <summary>The same place, with what the file has before it, by which the file is recognised.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public ReplayPosition Marked(RecordedFile file) => this with { Mark = Byte, MarkHash = HashOf(file.Before(Byte, LongestPrefix)) };

    /// <summary>Whether it is of this file. One that has grown is still the same; every file begins like an empty one, so that is
    /// none.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public bool IsOf(string path)
    {
        using var stream = Open(path);
        return Prefix > 0
            && stream.Length >= Math.Max(Byte, Mark)
            && HashOf(RecordedFile.Before(stream, Prefix, Prefix)) == Hash
            && HashOf(RecordedFile.Before(stream, Mark, LongestPrefix)) == MarkHash;
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"replay boot={BootId} prefix={Prefix} hash={Hash} byte={Byte} line={Line} sequence={Sequence} epoch={Epoch} offset={Offset} "
                + $"mark={Mark} markhash={MarkHash}"
        );

    /// <summary>Reads what <see cref="ToString"/> writes; null when it is something else.</summary>
    public static ReplayPosition? Parse(string text)
    {
        string[] names = ["boot", "prefix", "hash", "byte", "line", "sequence", "epoch", "offset", "mark", "markhash"];
        var parts = text.Split(' ');
        // Older versions kept no mark.
        if (parts.Length == names.Length - 1)
            parts = [.. parts, "mark=0", $"markhash={NoHash}"];
        if (parts.Length != names.Length + 1 || parts[0] != "replay")
            return null;
        var values = new string[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            if (!parts[i + 1].StartsWith(names[i] + "=", StringComparison.Ordinal))
                return null;
            values[i] = parts[i + 1][(names[i].Length + 1)..];
        }
        var culture = CultureInfo.InvariantCulture;
        return
            int.TryParse(values[1], NumberStyles.None, culture, out var prefix)
            && prefix <= LongestPrefix
            && values[2].Length == HashLength
            && long.TryParse(values[3], NumberStyles.None, culture, out var at)
            && long.TryParse(values[4], NumberStyles.None, culture, out var line)
            && ulong.TryParse(values[5], NumberStyles.None, culture, out var sequence)
            && long.TryParse(values[7], NumberStyles.None, culture, out var offset)
            && long.TryParse(values[8], NumberStyles.None, culture, out var mark)
            && values[9].Length == HashLength
            ? new(values[0], prefix, values[2], at, line, sequence, values[6], offset, mark, values[9])
            : null;
    }

    static byte[] ReadPrefix(string path, int length)
    {
        using var stream = Open(path);
        var bytes = new byte[length];
        return bytes[..stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false)];
    }

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
