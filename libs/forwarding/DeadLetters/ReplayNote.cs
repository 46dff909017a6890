using System.Globalization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// How far a file of <c>dead-letters/replay/</c> has been taken in. It is written before letters are appended to the journal, announcing
/// them, and again afterwards.
/// </summary>
/// <param name="Letters">Letters that are done.</param>
/// <param name="Epoch">While more letters are being appended, the journal's epoch; otherwise empty.</param>
/// <param name="Offset">The journal's end before those letters are appended.</param>
/// <param name="Counts">How many readings each of those letters holds.</param>
sealed record ReplayNote(int Letters, string Epoch = "", long Offset = 0, IReadOnlyList<int>? Counts = null)
{
    public byte[] ToBytes() =>
        SmallFile.Seal(Epoch.Length == 0 ? Invariant($"{Letters}") : Invariant($"{Letters} {Epoch} {Offset} {string.Join(' ', Counts!)}"));

    /// <summary>Null if the bytes are not a note.</summary>
    public static ReplayNote? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return SmallFile.Open(bytes)?.Split(' ') switch
            {
                [var letters] => new(Number(letters)),
                [var letters, var epoch, var offset, .. var counts] => new(
                    Number(letters),
                    epoch,
                    long.Parse(offset, CultureInfo.InvariantCulture),
                    [.. counts.Select(Number)]
                ),
                _ => null,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// How many of the announced letters are done when this many of their readings are in the journal. Letters without readings were kept
    /// before the append.
    /// </summary>
    public int LettersIn(long readings)
    {
        var done = 0;
        for (var i = 0; i < Counts!.Count && readings >= Counts[i]; i++)
        {
            readings -= Counts[i];
            if (Counts[i] > 0)
                done = i + 1;
        }
        return done;
    }

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
