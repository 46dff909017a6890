using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>The content of the cursor file.</summary>
/// <param name="Epoch">Identity of the journal it belongs to.</param>
/// <param name="Committed">First offset that the sink has not committed.</param>
/// <param name="Next">First offset that had not been given out when the file was written. After damage, numbering continues at this offset
/// or above.</param>
readonly record struct CursorFile(ulong Epoch, long Committed, long Next)
{
    /// <summary>Written durably: with fsync of the file and of the directory.</summary>
    public const string Name = "cursor";

    /// <summary>Written more often and without fsync, so a power cut may spoil it. Counts only if it is higher than the other.</summary>
    public const string RecentName = "cursor.recent";

    /// <summary>The one of a journal's two cursors that counts; null if there is neither.</summary>
    public static CursorFile? Latest(CursorFile? durable, CursorFile? recent) =>
        durable is null || recent?.Committed > durable?.Committed ? recent : durable;

    public byte[] ToBytes() =>
        SmallFile.Seal(string.Create(CultureInfo.InvariantCulture, $"{EpochFile.Text(Epoch)} {Committed:D20} {Next:D20}"));

    public static CursorFile? Parse(ReadOnlySpan<byte> bytes)
    {
        var parts = SmallFile.Open(bytes)?.Split(' ');
        return
            parts is { Length: 3 }
            && EpochFile.TryParseText(parts[0], out var epoch)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var committed)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var next)
            ? new CursorFile(epoch, committed, next)
            : null;
    }
}
