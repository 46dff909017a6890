namespace ThermalStreaming.Readings;

/// <summary>NDJSON: one object on each line.</summary>
static class JsonLines
{
    static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    /// <summary>
    /// Whether there are several lines, and each one that is not blank begins an object. In an object spread over lines, the later lines do
    /// not.
    /// </summary>
    public static bool IsLines(ReadOnlySpan<byte> text)
    {
        var lines = 0;
        foreach (var line in text.Split((byte)'\n'))
        {
            var content = text[line].Trim(Space);
            if (content.IsEmpty)
                continue;
            if (content[0] != '{')
                return false;
            lines++;
        }
        return lines > 1;
    }

    /// <summary>The lines that are not blank, without the white space around them.</summary>
    public static List<Range> Split(ReadOnlyMemory<byte> text)
    {
        var lines = new List<Range>();
        var span = text.Span;
        foreach (var line in span.Split((byte)'\n'))
        {
            var content = span[line].TrimEnd(Space);
            var start = line.Start.GetOffset(span.Length) + content.Length;
            content = content.TrimStart(Space);
            start -= content.Length;
            if (!content.IsEmpty)
                lines.Add(start..(start + content.Length));
        }
        return lines;
    }
}
