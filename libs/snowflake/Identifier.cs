using System.Text;

namespace ThermalStreaming.Snowflake;

/// <summary>Names of databases, schemas, pipes, roles and channels for use in paths.</summary>
static class Identifier
{
    /// <summary>
    /// Unquoted names in upper case, as Snowflake stores them; quoted ones unchanged, quotes included. Null for anything else: a dot, a
    /// blank or a slash outside quotes. A dash is allowed because the default pipe of a table is called <c>TABLE-STREAMING</c>.
    /// </summary>
    public static string? Normalise(string name)
    {
        if (name is ['"', _, .., '"'])
            return name[1..^1].Replace("\"\"", "", StringComparison.Ordinal).Contains('"', StringComparison.Ordinal) ? null : name;
        var plain =
            name.Length is > 0 and <= 255
            && !char.IsAsciiDigit(name[0])
            && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '$' or '-');
        return plain ? name.ToUpperInvariant() : null;
    }

    /// <summary>
    /// Percent-encodes one segment of a path by RFC 3986: the characters that a segment may hold stay, except <c>;</c>, which servers treat
    /// as the start of a parameter. Everything else, including <c>"</c>, <c>/</c> and blanks, becomes UTF-8 in %XX.
    /// </summary>
    public static string EncodeSegment(string segment) => Encode(segment, "!$&'()*+,=:@~._-");

    /// <summary>Percent-encodes a query value: only unreserved characters stay.</summary>
    public static string EncodeQuery(string value) => Encode(value, "~._-");

    static string Encode(string text, string kept)
    {
        var encoded = new StringBuilder(text.Length + 16);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || (octet < 0x80 && kept.Contains((char)octet, StringComparison.Ordinal)))
                encoded.Append((char)octet);
            else
                encoded.Append('%').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return encoded.ToString();
    }
}
