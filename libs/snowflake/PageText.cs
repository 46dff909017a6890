using System.Net;
using System.Text;

namespace ThermalStreaming.Snowflake;

/// <summary>The text of an HTML page: its title often names whoever answered in Snowflake's place.</summary>
static class PageText
{
    /// <summary>"an HTML page", then its title and its first words in quotation marks.</summary>
    public static string Of(string html)
    {
        var title = Title(html);
        var words = WebUtility.HtmlDecode(WithoutTags(html)).Trim();
        var said =
            title.Length == 0 ? words
            : words.StartsWith(title, StringComparison.Ordinal) ? words
            : $"{title}: {words}";
        said = SnowflakeError.OneLine(said);
        return said.Length == 0 ? "an HTML page" : $"an HTML page, \"{(said.Length > 200 ? said[..200] + "…" : said)}\"";
    }

    static string Title(string html)
    {
        var start = html.IndexOf("<title", StringComparison.OrdinalIgnoreCase);
        var open = start < 0 ? -1 : html.IndexOf('>', start);
        var end = open < 0 ? -1 : html.IndexOf("</title", open, StringComparison.OrdinalIgnoreCase);
        return end < 0 ? "" : SnowflakeError.OneLine(WebUtility.HtmlDecode(html[(open + 1)..end]));
    }

    static string WithoutTags(string html)
    {
        var text = new StringBuilder();
        for (var at = 0; at < html.Length && text.Length < 1000; at++)
        {
            if (html[at] != '<')
            {
                text.Append(html[at]);
                continue;
            }
            var skipped =
                html.AsSpan(at).StartsWith("<script", StringComparison.OrdinalIgnoreCase)
                    ? html.IndexOf("</script", at, StringComparison.OrdinalIgnoreCase)
                : html.AsSpan(at).StartsWith("<style", StringComparison.OrdinalIgnoreCase)
                    ? html.IndexOf("</style", at, StringComparison.OrdinalIgnoreCase)
                : at;
            var close = skipped < 0 ? -1 : html.IndexOf('>', skipped);
            if (close < 0)
                break;
            at = close;
            text.Append(' ');
        }
        return text.ToString();
    }
}
