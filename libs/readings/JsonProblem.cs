using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ThermalStreaming.Readings;

/// <summary>Says what is wrong with text that should be JSON, and the likely cause, for the person who programs the sender.</summary>
static class JsonProblem
{
    const int MaxQuoted = 60;

    /// <summary>A value for a message: shortened, one line, in quotation marks.</summary>
    public static string Quote(ReadOnlySpan<byte> utf8)
    {
        Span<char> characters = stackalloc char[MaxQuoted];
        Utf8.ToUtf16(utf8, characters, out var read, out var written);
        var text = new StringBuilder(MaxQuoted + 3).Append('"');
        foreach (var letter in characters[..written])
            text.Append(char.IsControl(letter) ? '·' : letter);
        return text.Append(read < utf8.Length ? "…\"" : "\"").ToString();
    }

    /// <summary>Where the text stops being JSON, counted from 0, and why.</summary>
    public static string Describe(ReadOnlySpan<byte> text, JsonException e)
    {
        var at = Position(text, e);
        if (at >= text.Length)
            return $"not JSON: it ends at byte {text.Length} in the middle of a value; was it cut off by a buffer that is too small?";
        return $"not JSON at byte {at}: {Cause(text, at) ?? $"{Quote(Glimpse(text, at))} is not allowed there"}";
    }

    static int Position(ReadOnlySpan<byte> text, JsonException e)
    {
        var start = 0;
        for (var line = 0L; line < (e.LineNumber ?? 0) && text[start..].IndexOf((byte)'\n') is var end and >= 0; line++)
            start += end + 1;
        return (int)Math.Min(start + (e.BytePositionInLine ?? 0), text.Length);
    }

    static string? Cause(ReadOnlySpan<byte> text, int at)
    {
        // The reader may stop within a word such as NaN or None.
        var word = at;
        while (word > 0 && IsWord(text[word - 1]))
            word--;
        var end = at;
        while (end < text.Length && IsWord(text[end]))
            end++;
        var name = Encoding.UTF8.GetString(text[word..Math.Min(end, word + 20)]).TrimStart('-');
        switch (name.ToUpperInvariant())
        {
            case "NAN" or "INF" or "INFINITY" or "1.#QNAN" or "1.#INF":
                return $"{name} is not JSON (NaN and Infinity are not JSON); send null for a value that the sensor did not deliver";
            case "NONE" or "UNDEFINED" or "NIL" or "TRUE" or "FALSE" or "NULL" or "UNKNOWN" or "UNAVAILABLE":
                return $"{name} is not JSON; send null for a value that the sensor did not deliver";
        }
        if (text[at] == '\'')
            return "single quotes; JSON needs double quotes around keys and texts";
        var before = text[..at].TrimEnd(" \t\r\n"u8);
        if (before.EndsWith(","u8))
        {
            var number = before[..^1];
            if (text[at] is (byte)'}' or (byte)']')
                return "a comma with nothing after it";
            if (char.IsAsciiDigit((char)text[at]) && !number.IsEmpty && char.IsAsciiDigit((char)number[^1]))
                return "a decimal comma, or a value without a key; the decimal sign of JSON is the point, 21.5";
        }
        if (
            text[at] == ','
            && at + 1 < text.Length
            && char.IsAsciiDigit((char)text[at + 1])
            && !before.IsEmpty
            && char.IsAsciiDigit((char)before[^1])
        )
            return "a decimal comma; the decimal sign of JSON is the point, 21.5";
        if (before.EndsWith("{"u8) && IsWord(text[at]))
            return $"the key {Quote(Glimpse(text, at))} without quotation marks; JSON needs double quotes around keys";
        return text[at] switch
        {
            0 => "a NUL (0x00); the sender also publishes the zero that ends a C string, so subtract 1 from the length",
            (byte)'+' or (byte)'.' => "a number of JSON begins with a digit or a minus",
            (byte)'/' or (byte)'#' => "JSON has no comments",
            _ => null,
        };
    }

    static ReadOnlySpan<byte> Glimpse(ReadOnlySpan<byte> text, int at) => text[at..Math.Min(text.Length, at + 20)];

    static bool IsWord(byte letter) =>
        char.IsAsciiLetterOrDigit((char)letter) || letter is (byte)'_' or (byte)'-' or (byte)'.' or (byte)'#';
}
