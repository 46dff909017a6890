namespace ThermalStreaming.Readings;

/// <summary>Texts that spell a number, as the original pipeline sends some: <c>"  0"</c>, <c>"65535"</c>.</summary>
static class NumberText
{
    /// <summary>The characters that may surround the number.</summary>
    public static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    /// <summary>
    /// The number without characters that JSON does not allow: 7 for <c>" +007. "</c>. Written into <paramref name="target"/>, which is one
    /// byte longer.
    /// </summary>
    /// <param name="quoted">With its quotation marks; <see cref="DecimalNumber"/> can read it.</param>
    /// <param name="target">Where to.</param>
    /// <returns>The length.</returns>
    public static int Write(ReadOnlySpan<byte> quoted, Span<byte> target)
    {
        var text = quoted[1..^1].Trim(Space);
        var length = 0;
        if (text[0] == '-')
            target[length++] = (byte)'-';
        if (text[0] is (byte)'-' or (byte)'+')
            text = text[1..];
        var end = text.IndexOfAny((byte)'e', (byte)'E') is var e and >= 0 ? e : text.Length;
        var point = text[..end].IndexOf((byte)'.') is var p and >= 0 ? p : end;
        var whole = text[..point].TrimStart((byte)'0');
        if (whole.IsEmpty)
            whole = "0"u8;
        whole.CopyTo(target[length..]);
        length += whole.Length;
        // A point without digits behind it goes too.
        var rest = text[(point + 1 == end ? end : point)..];
        rest.CopyTo(target[length..]);
        return length + rest.Length;
    }
}
