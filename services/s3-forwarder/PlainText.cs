using System.Text;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Makes text from the network fit for one line of a log.</summary>
static class PlainText
{
    /// <summary>
    /// Removes line ends and control characters, joins runs of white space into one space, and cuts to <paramref name="most"/> characters.
    /// </summary>
    public static string OneLine(string text, int most)
    {
        var line = new StringBuilder(Math.Min(text.Length, most));
        foreach (var c in text)
        {
            if (line.Length >= most)
                return line.Append('…').ToString();
            if (char.IsWhiteSpace(c) || char.IsControl(c))
            {
                if (line.Length > 0 && line[^1] != ' ')
                    line.Append(' ');
            }
            else
            {
                line.Append(c);
            }
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>The first words of a body: an HTML page's title, or otherwise the text without its tags.</summary>
    public static string FirstWords(ReadOnlySpan<byte> body, int most)
    {
        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, 16 * 1024)]);
        if (text.AsSpan().Count('\uFFFD') > text.Length / 10)
            return "binary data";
        return OneLine(Title(text) ?? WithoutTags(text), most);
    }

    static string? Title(string html)
    {
        var start = html.IndexOf("<title", StringComparison.OrdinalIgnoreCase);
        if (start < 0 || html.IndexOf('>', start) is not (> 0 and var open))
            return null;
        var end = html.IndexOf("</title", open, StringComparison.OrdinalIgnoreCase);
        return end < 0 || string.IsNullOrWhiteSpace(html[(open + 1)..end]) ? null : html[(open + 1)..end];
    }

    static string WithoutTags(string html)
    {
        var text = new StringBuilder(html.Length);
        var inTag = false;
        foreach (var c in html)
        {
            if (c == '<')
                inTag = true;
            else if (c == '>' && inTag)
                inTag = false;
            else if (!inTag)
                text.Append(c);
            if (c == '<' && text.Length > 0)
                text.Append(' ');
        }
        return text.ToString().TrimStart();
    }
}
