using System.Globalization;
using System.Security.Cryptography;

namespace ThermalStreaming.SensorAgent;

/// <summary>Progress of the replay of a file. Immutable.</summary>
/// <param name="BootId">Boot id of all its readings: with it and their sequence, the forwarders recognise repeats.</param>
/// <param name="Prefix">How many bytes at the file's beginning <paramref name="Hash"/> covers; they identify the file.</param>
/// <param name="Hash">SHA-256 of those bytes, hexadecimal.</param>
/// <param name="Byte">Where the next line begins.</param>
/// <param name="Line">How many lines precede it.</param>
/// <param name="Sequence">How many readings were taken, over all rounds.</param>
/// <param name="Epoch">Epoch of the outbox.</param>
/// <param name="Offset">Offset in the outbox: all those readings precede it.</param>
/// <param name="Mark">
/// How far the file had been read when <paramref name="MarkHash"/> was made, in bytes; 0: not yet, or made by an older version.
/// </param>
/// <param name="MarkHash">SHA-256 of up to 4,096 bytes before it, hexadecimal: recordings of one device may begin alike.</param>
sealed record RecordingPosition(
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
    public static RecordingPosition Begin(string path, string bootId, string epoch, long offset)
    {
        var prefix = ReadPrefix(path, LongestPrefix);
        return new(bootId, prefix.Length, HashOf(prefix), 0, 0, 0, epoch, offset, 0, NoHash);
    }

    /// <summary>The same position, with a hash of the bytes before it, which identifies the file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public RecordingPosition Marked(RecordedFile file) => this with { Mark = Byte, MarkHash = HashOf(file.Before(Byte, LongestPrefix)) };

    /// <summary>
    /// Whether the position belongs to this file. A file that has grown is still the same. An empty prefix matches no file.
    /// </summary>
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

    /// <summary>Reads what <see cref="ToString"/> writes; null for any other text.</summary>
    public static RecordingPosition? Parse(string text)
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
