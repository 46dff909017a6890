using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ThermalStreaming.Forwarding;

/// <summary>Where a dead letter is. Its text is opaque to others, and stays the same until the letter is replayed or deleted.</summary>
/// <param name="File">Name of the file in <c>dead-letters/</c>.</param>
/// <param name="Offset">First byte of its line.</param>
readonly record struct DeadLetterId(string File, long Offset)
{
    /// <summary>Our names have fewer than 60 characters. A longer name, or a name with a NUL, would cause an error of the disk.</summary>
    const int LongestFile = 100;

    /// <summary>Parses a text; false when it cannot be a letter's. A name never leads out of the directory.</summary>
    public static bool TryParse(string text, out DeadLetterId id)
    {
        id = default;
        if (!Base64Url.IsValid(text))
            return false;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('/');
        if (
            parts is not [var offset, var file]
            || !file.EndsWith(".ndjson", StringComparison.Ordinal)
            || file[0] == '.'
            || file.Length > LongestFile
            || file.Any(char.IsControl)
            || !long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        )
            return false;
        id = new(file, number);
        return true;
    }

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Offset}/{File}")));
}
